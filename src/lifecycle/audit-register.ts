/**
 * The audit log's own stream in the store: the key versions that sign its checkpoints, and the latest head that the store
 * knows, so that an old copy of the log is noticed (rule 9). They are no signing key's and in no key set. Pure.
 */
import { assertNever } from '../base/assert-never.ts';
import type { CkaId, Kid } from '../base/ids.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import type { BirthRecord } from './model.ts';

/** Its name in the store. */
export const AUDIT_STREAM = 'audit';

/** No signing key can have such a name, so no label of theirs begins like this. */
const LABEL_PREFIX = 'keyturn/@audit/';

export function auditKeyLabel(number: number): string {
  return LABEL_PREFIX + String(number);
}

/** Objects of the token that are the audit log's business alone: whatever the store knows of them, they sign no JWT. */
export function isAuditKeyLabel(ckaLabel: string): boolean {
  return ckaLabel.startsWith(LABEL_PREFIX);
}

export type AuditRegisterEvent = { readonly atMs: number } & (
  | { readonly type: 'AUDIT_KEY_INTENDED'; readonly ckaId: CkaId; readonly ckaLabel: string }
  | {
      readonly type: 'AUDIT_KEY_MADE';
      readonly ckaId: CkaId;
      readonly kid: Kid;
      readonly publicKey: PublicKeyMembers;
      readonly birth: BirthRecord;
    }
  /** Nothing with the intent's CKA_ID is left in the token. */
  | { readonly type: 'AUDIT_KEY_ABANDONED'; readonly ckaId: CkaId; readonly problem: string }
  /** Its first checkpoint is durable: the key before it has signed for it, if it could. */
  | { readonly type: 'AUDIT_KEY_INTRODUCED'; readonly ckaId: CkaId }
  /** `head`: SEQ:HASH, as the log had it on disk. */
  | { readonly type: 'AUDIT_HEAD_RECORDED'; readonly head: string }
);

export interface AuditKey {
  readonly ckaId: CkaId;
  readonly kid: Kid;
  readonly publicKey: PublicKeyMembers;
  readonly madeAtMs: number;
  readonly isIntroduced: boolean;
}

export interface AuditRegister {
  /** The latest is last. */
  readonly keys: readonly AuditKey[];
  /** Intents without a result: a crash came in between. */
  readonly intents: readonly CkaId[];
  /** How many were ever intended. */
  readonly intended: number;
  readonly head: string | undefined;
  readonly sequence: number;
}

export const NEW_AUDIT_REGISTER: AuditRegister = { keys: [], intents: [], intended: 0, head: undefined, sequence: 0 };

export function evolveAuditRegister(register: AuditRegister, event: AuditRegisterEvent): AuditRegister {
  const sequence = register.sequence + 1;
  const intents = register.intents.filter((ckaId) => !('ckaId' in event) || ckaId !== event.ckaId);
  switch (event.type) {
    case 'AUDIT_KEY_INTENDED':
      return { ...register, intents: [...intents, event.ckaId], intended: register.intended + 1, sequence };
    case 'AUDIT_KEY_MADE': {
      const { ckaId, kid, publicKey, atMs: madeAtMs } = event;
      const key = { ckaId, kid, publicKey, madeAtMs, isIntroduced: false };
      return { ...register, intents, keys: [...register.keys, key], sequence };
    }
    case 'AUDIT_KEY_INTRODUCED': {
      const keys = register.keys.map((key) => (key.ckaId === event.ckaId ? { ...key, isIntroduced: true } : key));
      return { ...register, keys, sequence };
    }
    case 'AUDIT_KEY_ABANDONED':
      return { ...register, intents, sequence };
    case 'AUDIT_HEAD_RECORDED':
      return { ...register, head: event.head, sequence };
    default:
      return assertNever(event);
  }
}
