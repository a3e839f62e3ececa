/** Two-person control as the servers see it: what can be proposed, and what became of it. */
import type { ApprovableMethod, Approval, ProposalState } from '../access/approval-log.ts';
import type { CallerName } from '../base/ids.ts';
import type {
  DeclareCompromisedCommand,
  ImportPublicKeyCommand,
  RecoverStoreCommand,
  RemovePublicKeyCommand,
} from './application.ts';

/** A command as it waits for approval: its members are JSON, and nothing of it is left to a later moment. */
export type ProposedCommand =
  | {
      readonly method: 'DeclareCompromised';
      readonly command: Pick<DeclareCompromisedCommand, 'scope' | 'retain' | 'reason'>;
    }
  | {
      readonly method: 'ImportPublicKey';
      readonly command: Omit<ImportPublicKeyCommand, 'jwk' | 'validateOnly'> & { readonly jwk: string };
    }
  | { readonly method: 'RemovePublicKey'; readonly command: Omit<RemovePublicKeyCommand, 'validateOnly'> }
  | { readonly method: 'ResolveObject'; readonly command: ResolveObjectCommand }
  | { readonly method: 'Recover'; readonly command: Omit<RecoverStoreCommand, 'validateOnly' | 'etag'> };

export interface ResolveObjectCommand {
  readonly ckaId: string;
  readonly action: 'destroy' | 'ignore';
  readonly reason: string;
}

export interface ApproveCommand {
  readonly id: string;
  /** Hexadecimal, of what the approver looked at. */
  readonly requestSha256: string;
  readonly effectSha256: string;
  readonly reason: string;
}

export interface ProposalView {
  readonly id: string;
  readonly method: ApprovableMethod;
  /** The exact request as JSON; `requestSha256` is over its bytes. */
  readonly request: string;
  readonly requestSha256: string;
  /** What it would do, as it was worked out when it was proposed; the digest is over the lines, joined by line feeds. */
  readonly effect: readonly string[];
  readonly effectSha256: string;
  /** Different security officers that it takes, the proposer included. */
  readonly officers: number;
  readonly proposer: CallerName;
  readonly reason: string;
  readonly proposedAtMs: number;
  readonly expiresAtMs: number;
  /** SHA-256 of the access policy's document when it was proposed, and of the one in force now. */
  readonly accessPolicyHash: string;
  readonly currentAccessPolicyHash: string;
  readonly approvals: readonly Approval[];
  /** `unknown`: the daemon stopped, or its store failed, while the command was executed. */
  readonly state: ProposalState | 'expired' | 'unknown';
  readonly changedAtMs: number;
  readonly remark: string;
}
