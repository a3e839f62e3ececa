/**
 * What the frames between daemon and worker say. A session's connection speaks binary (sign, find, forget; on the
 * administration session generate, destroy, list, read); the control channel speaks JSON, parsed strictly on both sides.
 * PINs, handles and private values have no place in any of them.
 */
import { type CkaId, parseCkaId } from '../base/ids.ts';
import { isReason, type Reason } from '../base/reasons.ts';
import { type KeySpec, parseKeySpec } from '../jose/algorithms.ts';
import type { AttributeReading } from '../lifecycle/model.ts';
import type { PublicAttributes } from './public-members.ts';

/** Every key of keyturn's has a CKA_LABEL that begins so; others are not looked at. */
export const LABEL_PREFIX = 'keyturn/';

export const REQUEST = {
  sign: 1,
  find: 2,
  forget: 3,
  reopen: 4,
  sweep: 5,
  generate: 16,
  destroy: 17,
  list: 18,
  read: 19,
} as const;
export const REPLY = { ok: 0x80, fault: 0x81, part: 0x82, refused: 0x83 } as const;
/** The one code of frames on the control channel. */
export const CONTROL = 0x40;

/** Why a session refuses without asking the token; `paused`: the token is being opened anew. */
export const REFUSAL = { noSuchKey: 1, severalKeys: 2, ckaIdInUse: 3, malformedRequest: 4, paused: 5 } as const;

/** Descriptors that a worker inherits. */
export const CONTROL_FD = 3;
export const PIN_FD = 4;
/** The administration session's connection; the signing sessions' follow. 5 is the worker lock, which nobody reads. */
export const FIRST_SESSION_FD = 6;

export const CKA_ID_BYTES = 16;

export interface Fault {
  readonly ckr: number;
  readonly functionName: string;
  /** False when the session could not be opened again after a failure; the fault is then that of C_OpenSession. */
  readonly isSessionUsable: boolean;
}

export function toCkaIdBytes(ckaId: CkaId): Buffer {
  return Buffer.from(ckaId, 'hex');
}

export function fromCkaIdBytes(bytes: Uint8Array): CkaId {
  return parseCkaId(Buffer.from(bytes).toString('hex'));
}

const FAULT_HEAD_BYTES = 5;

export function encodeFault({ ckr, functionName, isSessionUsable }: Fault): Buffer {
  const head = Buffer.alloc(FAULT_HEAD_BYTES);
  head.writeUInt32BE(ckr, 0);
  head.writeUInt8(isSessionUsable ? 1 : 0, 4);
  return Buffer.concat([head, Buffer.from(functionName.slice(0, 64), 'latin1')]);
}

export function parseFault(payload: Buffer): Fault {
  if (payload.length < FAULT_HEAD_BYTES) throw new TypeError('fault frame is too short');
  return {
    ckr: payload.readUInt32BE(0),
    isSessionUsable: payload.readUInt8(4) === 1,
    functionName: payload.subarray(FAULT_HEAD_BYTES).toString('latin1'),
  };
}

export interface SignCommand {
  readonly algorithmCode: number;
  readonly ckaId: string;
  readonly tokenInput: Buffer;
}

const SIGN_HEAD_BYTES = 1 + CKA_ID_BYTES;

export function encodeSignHead(algorithmCode: number, ckaId: CkaId): Buffer {
  const head = Buffer.allocUnsafe(SIGN_HEAD_BYTES);
  head.writeUInt8(algorithmCode, 0);
  head.write(ckaId, 1, 'hex');
  return head;
}

export function parseSign(payload: Buffer): SignCommand {
  if (payload.length < SIGN_HEAD_BYTES) throw new TypeError('sign frame is too short');
  return {
    algorithmCode: payload.readUInt8(0),
    ckaId: payload.toString('hex', 1, SIGN_HEAD_BYTES),
    tokenInput: payload.subarray(SIGN_HEAD_BYTES),
  };
}

export interface GenerateCommand {
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly spec: KeySpec;
}

export function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value), 'utf8');
}

export function parseGenerate(payload: Buffer): GenerateCommand {
  const fields = parseRecord(payload);
  const spec = requireRecord(fields['spec']);
  return {
    ckaId: parseCkaId(fields['ckaId']),
    ckaLabel: requireString(fields['ckaLabel']),
    spec: parseKeySpec(spec['algorithm'], spec['rsaBits']),
  };
}

/** What the administration session read back of a pair. Public values travel in hexadecimal. */
export interface MadeKey extends PublicAttributes {
  readonly attributes: Readonly<Record<string, AttributeReading>>;
}

export function encodeMadeKey({ attributes, ...publicAttributes }: MadeKey): Buffer {
  const hex = Object.entries(publicAttributes).map(([name, value]) => [name, value?.toString('hex')]);
  return encodeJson({ attributes, ...Object.fromEntries(hex) });
}

export function parseMadeKey(payload: Buffer): MadeKey {
  const fields = parseRecord(payload);
  const attributes: Record<string, AttributeReading> = {};
  for (const [name, value] of Object.entries(requireRecord(fields['attributes']))) {
    attributes[name] = typeof value === 'boolean' || typeof value === 'number' ? value : 'unreadable';
  }
  const bytes = (name: string): Buffer | undefined =>
    fields[name] === undefined ? undefined : Buffer.from(requireString(fields[name]), 'hex');
  return {
    attributes,
    ecPoint: bytes('ecPoint'),
    modulus: bytes('modulus'),
    publicExponent: bytes('publicExponent'),
    value: bytes('value'),
  };
}

export function parseDestroyed(payload: Buffer): number {
  return requireNumber(parseRecord(payload)['destroyedObjects']);
}

export interface FoundKey {
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly privateKeys: number;
  readonly publicKeys: number;
}

export function parseFoundKeys(payload: Buffer): readonly FoundKey[] {
  const list: unknown = JSON.parse(payload.toString('utf8'));
  if (!Array.isArray(list)) throw new TypeError('list frame is not an array');
  return list.map((item) => {
    const fields = requireRecord(item);
    return {
      ckaId: parseCkaId(fields['ckaId']),
      ckaLabel: requireString(fields['ckaLabel']),
      privateKeys: requireNumber(fields['privateKeys']),
      publicKeys: requireNumber(fields['publicKeys']),
    };
  });
}

export interface TokenIdentity {
  readonly label: string;
  readonly serial: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmwareVersion: string;
  /** ulMaxSessionCount: of one application, says the standard; of all together, say some tokens. Absent: no limit is told. */
  readonly maxSessions?: number;
}

/** The daemon's orders on the control channel. */
export type WorkerOrder =
  | {
      readonly kind: 'start';
      readonly moduleFile: string;
      readonly moduleParameters: string | undefined;
      readonly selector: { readonly label: string } | { readonly serial: string };
      readonly signingSessions: number;
      /** An operator asked for the attempt: CKF_USER_PIN_FINAL_TRY doesn't forbid it. */
      readonly mayUseFinalTry: boolean;
    }
  /** The token is opened anew in the same process: sessions and handles go, and with `reinitialise` the module's state. */
  | { readonly kind: 'reopen'; readonly rung: 'login' | 'reinitialise'; readonly mayUseFinalTry: boolean }
  /** Ahead of `start`, and without the module: the threads are made. */
  | { readonly kind: 'prepare'; readonly signingSessions: number }
  | { readonly kind: 'stop' };

/** The worker's reports on the control channel. */
export type WorkerReport =
  | {
      readonly kind: 'ready';
      readonly token: TokenIdentity;
      readonly mechanisms: readonly number[];
      readonly duplicates: readonly string[];
    }
  | {
      readonly kind: 'failed';
      readonly reason: Reason;
      readonly message: string;
      /** The call that failed, where one did. */
      readonly functionName?: string;
      readonly ckr?: number;
    };

/** Around C_Login: a worker that dies in between may have cost an attempt at the PIN. */
export interface LoginProgress {
  readonly kind: 'loggingIn' | 'loggedIn';
}

export function parseWorkerOrder(payload: Buffer): WorkerOrder {
  const fields = parseRecord(payload);
  if (fields['kind'] === 'stop') return { kind: 'stop' };
  if (fields['kind'] === 'reopen') {
    return {
      kind: 'reopen',
      rung: fields['rung'] === 'login' ? 'login' : 'reinitialise',
      mayUseFinalTry: fields['mayUseFinalTry'] === true,
    };
  }
  if (fields['kind'] === 'prepare')
    return { kind: 'prepare', signingSessions: requireNumber(fields['signingSessions']) };
  if (fields['kind'] !== 'start') throw new TypeError('unknown order');
  const selector = requireRecord(fields['selector']);
  return {
    kind: 'start',
    moduleFile: requireString(fields['moduleFile']),
    moduleParameters: fields['moduleParameters'] === undefined ? undefined : requireString(fields['moduleParameters']),
    selector:
      selector['label'] === undefined
        ? { serial: requireString(selector['serial']) }
        : { label: requireString(selector['label']) },
    signingSessions: requireNumber(fields['signingSessions']),
    mayUseFinalTry: fields['mayUseFinalTry'] === true,
  };
}

export function parseWorkerReport(payload: Buffer): WorkerReport | LoginProgress {
  const fields = parseRecord(payload);
  if (fields['kind'] === 'loggingIn' || fields['kind'] === 'loggedIn') return { kind: fields['kind'] };
  if (fields['kind'] === 'failed') {
    const reason = requireString(fields['reason']);
    return {
      kind: 'failed',
      reason: isReason(reason) ? reason : 'INTERNAL',
      message: requireString(fields['message']),
      ...(fields['ckr'] === undefined
        ? {}
        : { functionName: requireString(fields['functionName']), ckr: requireNumber(fields['ckr']) }),
    };
  }
  if (fields['kind'] !== 'ready') throw new TypeError('unknown report');
  const token = requireRecord(fields['token']);
  return {
    kind: 'ready',
    token: {
      label: requireString(token['label']),
      serial: requireString(token['serial']),
      manufacturer: requireString(token['manufacturer']),
      model: requireString(token['model']),
      firmwareVersion: requireString(token['firmwareVersion']),
      ...(token['maxSessions'] === undefined ? {} : { maxSessions: requireNumber(token['maxSessions']) }),
    },
    mechanisms: requireArray(fields['mechanisms']).map(requireNumber),
    duplicates: requireArray(fields['duplicates']).map(requireString),
  };
}

function parseRecord(payload: Buffer): Readonly<Record<string, unknown>> {
  return requireRecord(JSON.parse(payload.toString('utf8')));
}

function requireRecord(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError('expected an object');
}

function requireArray(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw new TypeError('expected an array');
}

function requireString(value: unknown): string {
  if (typeof value === 'string') return value;
  throw new TypeError('expected a string');
}

function requireNumber(value: unknown): number {
  if (typeof value === 'number') return value;
  throw new TypeError('expected a number');
}
