/** The public key of checkpoints, as an auditor keeps it: a JWK file, apart from the log. Pure. */
import { KeyturnError } from '../base/errors.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import { toPublicKey } from '../jose/public-key.ts';
import { parseMembers } from '../jose/strict-members.ts';
import { toKid } from '../jose/thumbprint.ts';
import { AUDIT_ALGORITHM, type TrustedKey } from './checkpoints.ts';

/** What `keyturn audit key` prints. */
export function toCheckpointJwk({ kid, publicKey }: TrustedKey): Readonly<Record<string, string>> {
  return { ...publicKey, kid, alg: AUDIT_ALGORITHM, use: 'sig' };
}

/** Errors: FIELD_INVALID. */
export function parseCheckpointJwk(bytes: Uint8Array): TrustedKey {
  const members = parseMembers(bytes, { reason: 'FIELD_INVALID', field: 'key' });
  if (members.has('d')) throw invalid('holds a private key: that of checkpoints is in the token, and only there');
  const [kty, crv, x, y] = ['kty', 'crv', 'x', 'y'].map((name) => members.get(name));
  if (kty !== 'EC' || crv !== 'P-256' || typeof x !== 'string' || typeof y !== 'string')
    throw invalid('must be the public JWK of a P-256 key, as keyturn audit key prints it');
  const publicKey: PublicKeyMembers = { kty, crv, x, y };
  requirePoint(publicKey);
  const kid = toKid(publicKey);
  const said = members.get('kid');
  if (said !== undefined && said !== kid)
    throw invalid(`says kid ${JSON.stringify(said)}, and its thumbprint is ${kid}`);
  return { kid, publicKey };
}

function requirePoint(publicKey: PublicKeyMembers): void {
  try {
    toPublicKey(publicKey);
  } catch (refusal) {
    throw invalid(refusal instanceof KeyturnError ? `can't be used: ${refusal.message}` : "can't be used");
  }
}

function invalid(problem: string): KeyturnError {
  return new KeyturnError('FIELD_INVALID', `the checkpoint key ${problem}`, { field: 'key' });
}
