/**
 * Checkpoints: a head, signed by a key version of its own in the token (ES256). Its public key stands in every checkpoint
 * and in no JWKS; a new key's first checkpoint is signed by the key before it as well. Pure.
 */
import type { Kid } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import { toPublicKey } from '../jose/public-key.ts';
import { verifySignature } from '../jose/signature.ts';
import { toKid } from '../jose/thumbprint.ts';
import { formatHead, type Head, toTime } from './chain.ts';
import type { CheckpointContent } from './entries.ts';

export const AUDIT_ALGORITHM = 'ES256' satisfies Algorithm;

/** So that no signature of this key can be taken for one of anything else. */
const CONTEXT = 'keyturn audit checkpoint v1\n';

export interface Statement {
  readonly head: Head;
  readonly signedAtMs: number;
  readonly publicKey: PublicKeyMembers;
  /** The key before this one, when this is the first checkpoint of a new key. */
  readonly formerKid?: Kid | undefined;
}

type SignedMembers = Omit<CheckpointContent, 'signature' | 'formerSignature'>;

function toMembers({ head, signedAtMs, publicKey, formerKid }: Statement): SignedMembers {
  const members = { head: formatHead(head), signedTime: toTime(signedAtMs), kid: toKid(publicKey), publicKey };
  return formerKid === undefined ? members : { ...members, formerKid };
}

/** The bytes that both keys sign: the context and the checkpoint's members without the signatures, as JSON in this order. */
function toSignedBytes({ head, signedTime, kid, publicKey, formerKid }: SignedMembers): Uint8Array {
  return Buffer.from(CONTEXT + JSON.stringify({ head, signedTime, kid, publicKey, formerKid }));
}

export function statementBytes(statement: Statement): Uint8Array {
  return toSignedBytes(toMembers(statement));
}

/** Signatures in the form of RFC 7518 (R‖S). */
export function toCheckpoint(
  statement: Statement,
  signature: Uint8Array,
  formerSignature?: Uint8Array,
): CheckpointContent {
  const members = toMembers(statement);
  const signed = { ...members, signature: toBase64url(signature) };
  return formerSignature === undefined ? signed : { ...signed, formerSignature: toBase64url(formerSignature) };
}

function toBase64url(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64url');
}

/** A key that signed, or was signed for, and may sign what follows. */
export interface TrustedKey {
  readonly kid: Kid;
  readonly publicKey: PublicKeyMembers;
}

/**
 * Whether the checkpoint's own signature is good, and with `trusted`, the key of the checkpoint before: whether it is
 * by that key, or by one that it signed for. What it says of the head is for the chain to confirm.
 */
export function findCheckpointProblem(checkpoint: CheckpointContent, trusted?: TrustedKey): string | undefined {
  const { kid, publicKey, signature, formerKid, formerSignature } = checkpoint;
  if (publicKey.kty !== 'EC' || publicKey.crv !== 'P-256') return 'publicKey must be a P-256 key';
  if (!isThumbprint(kid, publicKey)) return 'kid is not the thumbprint of publicKey';
  const bytes = toSignedBytes(checkpoint);
  if (!isSignedBy(publicKey, bytes, signature)) return `the signature is not by key ${kid}`;
  if (trusted === undefined || trusted.kid === kid) return undefined;
  if (formerKid === undefined || formerSignature === undefined)
    return `key ${kid} is not the key ${trusted.kid} of the checkpoint before, which did not sign for it`;
  if (formerKid !== trusted.kid) return `key ${kid} follows key ${formerKid}, and not key ${trusted.kid}`;
  if (!isSignedBy(trusted.publicKey, bytes, formerSignature))
    return `formerSignature is not by key ${trusted.kid} of the checkpoint before`;
  return undefined;
}

function isThumbprint(kid: Kid, publicKey: PublicKeyMembers): boolean {
  try {
    return toKid(publicKey) === kid;
  } catch {
    return false;
  }
}

function isSignedBy(publicKey: PublicKeyMembers, bytes: Uint8Array, signature: string): boolean {
  try {
    const raw = Buffer.from(signature, 'base64url');
    return (
      raw.toString('base64url') === signature && verifySignature(AUDIT_ALGORITHM, toPublicKey(publicKey), bytes, raw)
    );
  } catch {
    // What isn't a point of the curve verifies nothing.
    return false;
  }
}
