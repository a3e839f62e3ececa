/**
 * What the audit log says: the closed list of entry kinds, and for each its members in the order in which they are
 * written. docs/reference/audit.md describes them for readers. A kind is never changed once released: members may be
 * added as optional ones at the end, new facts get new kinds.
 */
import type { CallerName, KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';

/** SHA-256, base64url: 43 characters. */
export type Digest = string;

/** A lifecycle event as the store has it. */
export interface EventData {
  readonly type: string;
  readonly atMs: number;
}

interface Contents {
  /** The daemon began to write. `storeEvents`: how many events the store had, over all its streams (rule 9). */
  readonly LOG_STARTED: { readonly version: string; readonly storeEvents: number };
  /** The daemon stopped in order: what ends without this entry was killed, or was cut off. */
  readonly LOG_STOPPED: { readonly storeEvents: number };
  /** A crash left an incomplete last line, which was cut off: an entry that nobody was answered for. */
  readonly TAIL_CUT: { readonly bytes: number; readonly sha256: Digest };
  /** The store knows a later head than the log has: entries were removed, or the log is an old copy. */
  readonly HISTORY_MISSING: { readonly expected: string; readonly found: string };
  /**
   * The disk took no entries since then. `refused`: what wasn't done for it (`onFailure: refuse`); `lost`: what was done
   * all the same, without an entry (`onFailure: continue`).
   */
  readonly LOG_INTERRUPTED: {
    readonly since: string;
    readonly refused: number;
    readonly lost: number;
    readonly problem: string;
  };
  /** The first entry of every segment but the first. `storeEvents`: of the latest EVENT before it (rule 9). */
  readonly SEGMENT_STARTED: { readonly storeEvents: number };
  /** Segments removed by the retention rule: the log begins after `through` from now on. */
  readonly SEGMENTS_REMOVED: { readonly through: string; readonly segments: number; readonly bytes: number };

  /** A signing input went to the token. `sha256`: of the signing input (RFC 7515, section 5.1); `exp`: NumericDate. */
  readonly JWT_DISPATCHED: {
    readonly caller: CallerName;
    readonly signingKey: SigningKeyName;
    readonly kid: Kid;
    readonly alg: Algorithm;
    readonly sha256: Digest;
    readonly jti?: string | undefined;
    readonly exp: number;
  };
  /** Takes back the entry with that sequence: no JWT of it was released. */
  readonly JWT_FAILED: { readonly dispatched: number; readonly reason: string };

  /** A command of administration and its outcome: `OK` or the reason of the refusal. `sha256`: of the request. */
  readonly CALL: {
    readonly caller: CallerName;
    readonly method: string;
    readonly sha256: Digest;
    readonly requestId?: string | undefined;
    readonly signingKey?: string | undefined;
    readonly keySet?: string | undefined;
    readonly version?: number | undefined;
    readonly kid?: string | undefined;
    readonly validateOnly?: true | undefined;
    /** The operator's words. */
    readonly comment?: string | undefined;
    readonly outcome: string;
  };
  /** Who was refused what. Bounded per second: `omitted` refusals before this one have no entry. */
  readonly REFUSED: {
    readonly caller: string;
    readonly method: string;
    readonly reason: string;
    readonly signingKey?: string | undefined;
    readonly omitted?: number | undefined;
  };
  /** A committed event of the store, whole. `storeEvents`: the store's count with it (rule 9). */
  readonly EVENT: {
    readonly stream: string;
    readonly sequence: number;
    readonly type: string;
    readonly signingKey?: SigningKeyName | undefined;
    readonly keySet?: KeySetName | undefined;
    readonly version?: number | undefined;
    readonly kid?: Kid | undefined;
    readonly data: EventData;
    readonly storeEvents: number;
    /** Written at the start that followed a crash. */
    readonly late?: true | undefined;
  };
  /** `documentHash`: SHA-256 of the document's bytes, hexadecimal as sha256sum prints it and approvers see it. */
  readonly ACCESS_POLICY_LOADED: { readonly documentHash: string; readonly callers: number };

  /** checkpoints.ts. */
  readonly CHECKPOINT: CheckpointContent;
}

export interface CheckpointContent {
  /** What is signed: every entry up to this sequence, by its hash. */
  readonly head: string;
  /** When it was signed; the entry comes later. */
  readonly signedTime: string;
  readonly kid: Kid;
  readonly publicKey: PublicKeyMembers;
  readonly signature: string;
  /** The audit key before this one, which signs the first checkpoint of its successor as well. */
  readonly formerKid?: Kid | undefined;
  readonly formerSignature?: string | undefined;
}

export type EntryKind = keyof Contents;

type RecordOf<K extends EntryKind> = { readonly kind: K } & Contents[K];
/** What somebody wants the log to say. */
export type AuditRecord = { readonly [K in EntryKind]: RecordOf<K> }[EntryKind];

interface Place {
  /** 1 for the first entry, then without gaps. */
  readonly seq: number;
  /** RFC 3339, UTC, milliseconds. */
  readonly time: string;
  /** The hash of the line before. */
  readonly prev: Digest;
}
/** What the log says, at its place in the chain. */
export type AuditEntry = { readonly [K in EntryKind]: RecordOf<K> & Place }[EntryKind];

/** How a member is written and checked. */
export type MemberForm = 'text' | 'digest' | 'head' | 'time' | 'count' | 'true' | 'object';
export interface Member {
  readonly form: MemberForm;
  readonly isOptional?: true;
}

const text: Member = { form: 'text' };
const digest: Member = { form: 'digest' };
const head: Member = { form: 'head' };
const time: Member = { form: 'time' };
const count: Member = { form: 'count' };
const object: Member = { form: 'object' };
const optionalText: Member = { form: 'text', isOptional: true };
const optionalCount: Member = { form: 'count', isOptional: true };
const optionalTrue: Member = { form: 'true', isOptional: true };

type Layout<T> = { readonly [M in keyof Required<T>]: Member };

/** The order of the members here is the order in the log. */
export const LAYOUTS: { readonly [K in EntryKind]: Layout<Contents[K]> } = {
  LOG_STARTED: { version: text, storeEvents: count },
  LOG_STOPPED: { storeEvents: count },
  TAIL_CUT: { bytes: count, sha256: digest },
  HISTORY_MISSING: { expected: head, found: head },
  LOG_INTERRUPTED: { since: time, refused: count, lost: count, problem: text },
  SEGMENT_STARTED: { storeEvents: count },
  SEGMENTS_REMOVED: { through: head, segments: count, bytes: count },
  JWT_DISPATCHED: {
    caller: text,
    signingKey: text,
    kid: text,
    alg: text,
    sha256: digest,
    jti: optionalText,
    exp: count,
  },
  JWT_FAILED: { dispatched: count, reason: text },
  CALL: {
    caller: text,
    method: text,
    sha256: digest,
    requestId: optionalText,
    signingKey: optionalText,
    keySet: optionalText,
    version: optionalCount,
    kid: optionalText,
    validateOnly: optionalTrue,
    comment: optionalText,
    outcome: text,
  },
  REFUSED: { caller: text, method: text, reason: text, signingKey: optionalText, omitted: optionalCount },
  EVENT: {
    stream: text,
    sequence: count,
    type: text,
    signingKey: optionalText,
    keySet: optionalText,
    version: optionalCount,
    kid: optionalText,
    data: object,
    storeEvents: count,
    late: optionalTrue,
  },
  ACCESS_POLICY_LOADED: { documentHash: text, callers: count },
  CHECKPOINT: {
    head,
    signedTime: time,
    kid: text,
    publicKey: object,
    signature: text,
    formerKid: optionalText,
    formerSignature: optionalText,
  },
};

export function isEntryKind(value: unknown): value is EntryKind {
  return typeof value === 'string' && Object.hasOwn(LAYOUTS, value);
}
