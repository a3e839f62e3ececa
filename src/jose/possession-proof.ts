/**
 * Proof that whoever asks for an import holds the private key: a JWT (RFC 7519) by that very key, made for this import
 * and moments ago. A JWT that the old signer gave to anyone for anything else proves nothing here.
 */
import type { KeyObject } from 'node:crypto';
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import type { KeySetName, Kid } from '../base/ids.ts';
import type { Algorithm } from './algorithms.ts';
import { verifySignature } from './signature.ts';
import type { JsonObject } from './strict-json.ts';
import { parseMembers } from './strict-members.ts';

/** A signature of ML-DSA-87 alone takes 6,170. */
const MAX_PROOF_CHARACTERS = 8 * 1024;
/** How old it may be, and how far the old signer's clock may be ahead. */
export const MAX_PROOF_AGE_MS = 10 * 60_000;
const MAX_PROOF_LEAD_MS = 60_000;

export interface ProvenKey {
  readonly kid: Kid;
  readonly thumbprint: Kid;
  readonly algorithm: Algorithm;
  readonly keyObject: KeyObject;
}

/** What the old signer must sign: this import and no other, the key by what it is and not by what it is called. */
export function proofClaims(keySet: KeySetName, thumbprint: Kid, nowMs: number): Readonly<Record<string, unknown>> {
  const iat = Math.floor(nowMs / 1_000);
  return { aud: `keyturn:import:${keySet}`, sub: thumbprint, iat, exp: iat + MAX_PROOF_AGE_MS / 1_000 };
}

/** Errors: PROOF_INVALID, with what is wrong with it. */
export function requirePossession(proof: string, key: ProvenKey, keySet: KeySetName, nowMs: number): void {
  if (proof.length > MAX_PROOF_CHARACTERS)
    throw invalid('proof', `must have at most ${MAX_PROOF_CHARACTERS} characters`);
  const [header = '', payload = '', signature = '', ...rest] = proof.split('.');
  if (rest.length > 0 || signature === '') throw invalid('proof', 'must be a JWT in compact form');
  requireHeader(parseMembers(decode(header), { reason: 'PROOF_INVALID', field: 'proof.header' }), key);
  if (!verifySignature(key.algorithm, key.keyObject, Buffer.from(`${header}.${payload}`), decode(signature)))
    throw invalid('proof', "must be signed by the key's own private key, and its signature doesn't verify with jwk");
  const claims = parseMembers(decode(payload), { reason: 'PROOF_INVALID', field: 'proof.claims' });
  requirePurpose(claims, key, keySet);
  requireFresh(claims, nowMs);
}

function invalid(field: string, problem: string): KeyturnError {
  return new KeyturnError('PROOF_INVALID', `${field} ${problem}`, { field });
}

function decode(part: string): Buffer {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.length === 0 || bytes.toString('base64url') !== part)
    throw invalid('proof', 'must be three parts in base64url without padding');
  return bytes;
}

function requireHeader(header: JsonObject, { kid, algorithm }: ProvenKey): void {
  if (header.get('alg') !== algorithm) throw invalid('proof.alg', `must be ${algorithm}, the alg of jwk`);
  if (header.has('kid') && header.get('kid') !== kid) throw invalid('proof.kid', 'must be the kid of jwk, or absent');
  // RFC 7515, section 4.1.11: what must be understood and isn't, such as b64 of RFC 7797, makes it invalid.
  if (header.has('crit')) throw invalid('proof.crit', 'must be absent');
}

function requirePurpose(claims: JsonObject, { thumbprint }: ProvenKey, keySet: KeySetName): void {
  const { aud: wanted } = proofClaims(keySet, thumbprint, 0);
  const aud = claims.get('aud');
  const [only, ...more] = Array.isArray(aud) ? (aud as readonly unknown[]) : [aud];
  if (only !== wanted || more.length > 0)
    throw invalid('proof.aud', `must be ${String(wanted)}, and nothing else: the proof is for this import alone`);
  if (claims.get('sub') !== thumbprint)
    throw invalid('proof.sub', `must be the SHA-256 thumbprint of jwk (RFC 7638), ${thumbprint}`);
}

function requireFresh(claims: JsonObject, nowMs: number): void {
  const [iatMs, expMs, nbfMs] = ['iat', 'exp', 'nbf'].map((name) => toTimeMs(claims, name));
  if (iatMs === undefined) throw invalid('proof.iat', 'is required: the proof must be fresh');
  if (iatMs < nowMs - MAX_PROOF_AGE_MS || iatMs > nowMs + MAX_PROOF_LEAD_MS)
    throw invalid(
      'proof.iat',
      `must be within the last ${formatDuration(MAX_PROOF_AGE_MS)}, and it is ${formatDuration(Math.abs(nowMs - iatMs))} ${iatMs > nowMs ? 'ahead' : 'ago'} by the daemon's clock; have a new one signed`,
    );
  if (expMs !== undefined && expMs <= nowMs) throw invalid('proof.exp', 'is over; have a new one signed');
  if (nbfMs !== undefined && nbfMs > nowMs + MAX_PROOF_LEAD_MS) throw invalid('proof.nbf', 'is still to come');
}

/** NumericDate (RFC 7519, section 2). */
function toTimeMs(claims: JsonObject, name: string): number | undefined {
  const value = claims.get(name);
  if (value === undefined) return undefined;
  if (typeof value !== 'number') throw invalid(`proof.${name}`, 'must be a number of seconds');
  return value * 1_000;
}
