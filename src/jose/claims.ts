/**
 * The claims that a caller sends (RFC 7519, section 4), checked, and the JWT claims set made of them. The caller's bytes
 * are signed as they came: what was checked is what verifiers read, and no number loses a digit.
 */
import { isUtf8 } from 'node:buffer';
import { KeyturnError } from '../base/errors.ts';
import { foldName, isPlainName } from './fold-name.ts';
import { type JsonObject, parseStrictJson } from './strict-json.ts';

export interface ClaimsLimits {
  readonly maxBytes: number;
  /** The claims object itself is depth 1. */
  readonly maxDepth: number;
}

/** Made by parseClaims only: `bytes` are JSON for exactly `members`. */
export interface Claims {
  readonly bytes: Uint8Array;
  readonly members: JsonObject;
}

/** What the daemon adds. Times are NumericDates: whole seconds. */
export interface DaemonClaims {
  readonly iatSeconds: number;
  readonly expSeconds: number;
  readonly nbfSeconds?: number;
  readonly jti?: string;
}

/** The daemon's own claims: from a caller they would be a second, contradicting one. */
export const RESERVED_CLAIMS = ['iat', 'exp', 'nbf', 'jti'] as const;

/** RFC 7519, section 4.1: what verifiers decide by. */
const REGISTERED_CLAIMS: ReadonlySet<string> = new Set(['iss', 'sub', 'aud', ...RESERVED_CLAIMS]);

const CLOSE_BRACE = 0x7d;

/**
 * Errors: CLAIMS_TOO_LARGE, CLAIMS_NOT_UTF8, CLAIMS_NOT_OBJECT, CLAIM_RESERVED, and those of parseStrictJson. None
 * repeats a claim's value.
 */
export function parseClaims(bytes: Uint8Array, limits: ClaimsLimits): Claims {
  if (bytes.length > limits.maxBytes)
    throw refuse('CLAIMS_TOO_LARGE', `must have at most ${limits.maxBytes} bytes, not ${bytes.length}`);
  if (!isUtf8(bytes)) throw refuse('CLAIMS_NOT_UTF8', 'must be UTF-8');
  const members = parseStrictJson(view(bytes).toString('utf8'), limits.maxDepth);
  if (!(members instanceof Map)) throw refuse('CLAIMS_NOT_OBJECT', 'must be one JSON object');
  for (const name of RESERVED_CLAIMS) {
    if (members.has(name)) {
      throw new KeyturnError('CLAIM_RESERVED', `claims must not have ${name}: the daemon adds it`, {
        field: `claims.${name}`,
      });
    }
  }
  for (const name of members.keys()) {
    if (!isPlainName(name)) requireNoLookAlike(name);
  }
  return { bytes, members };
}

/** `AUD` is no audience to the grant's rules, and is one to a service whose reader doesn't mind case. */
function requireNoLookAlike(name: string): void {
  const folded = foldName(name);
  if (!REGISTERED_CLAIMS.has(folded)) return;
  const message = `claims must not have a name that some readers take for ${folded}: write it as RFC 7519 does, or choose another`;
  throw new KeyturnError('CLAIMS_FORBIDDEN_NAME', message, { field: 'claims' });
}

/** The caller's bytes with the daemon's claims put in before the closing brace. */
export function withTimes(claims: Claims, times: DaemonClaims): Uint8Array {
  const { bytes, members } = claims;
  const end = bytes.lastIndexOf(CLOSE_BRACE);
  const comma = members.size === 0 ? '' : ',';
  const nbf = times.nbfSeconds === undefined ? '' : `,"nbf":${times.nbfSeconds}`;
  const jti = times.jti === undefined ? '' : `,"jti":${JSON.stringify(times.jti)}`;
  const added = `${comma}"iat":${times.iatSeconds},"exp":${times.expSeconds}${nbf}${jti}`;
  const addedBytes = Buffer.byteLength(added);
  const payload = Buffer.allocUnsafe(bytes.length + addedBytes);
  payload.set(bytes.subarray(0, end));
  payload.write(added, end);
  payload.set(bytes.subarray(end), end + addedBytes);
  return payload;
}

function refuse(reason: 'CLAIMS_TOO_LARGE' | 'CLAIMS_NOT_UTF8' | 'CLAIMS_NOT_OBJECT', rule: string): KeyturnError {
  return new KeyturnError(reason, `claims ${rule}`, { field: 'claims' });
}

function view(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
