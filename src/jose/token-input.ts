/**
 * What the token's signing mechanism gets for a signing input. The daemon's side hashes, because the mechanisms that
 * hash by themselves are missing on common tokens, each time other ones.
 */
import { hash } from 'node:crypto';
import { type Algorithm, type HashName, specOf } from './algorithms.ts';

/** DER of DigestInfo up to the hash itself (RFC 8017, section 9.2, note 1). */
const DIGEST_INFO: Readonly<Record<HashName, Buffer>> = {
  sha256: Buffer.from('3031300d060960864801650304020105000420', 'hex'),
  sha384: Buffer.from('3041300d060960864801650304020205000430', 'hex'),
  sha512: Buffer.from('3051300d060960864801650304020305000440', 'hex'),
};

/** DigestInfo for CKM_RSA_PKCS, the hash for CKM_RSA_PKCS_PSS and CKM_ECDSA, the input itself for CKM_EDDSA and CKM_ML_DSA. */
export function toTokenInput(algorithm: Algorithm, signingInput: Uint8Array): Uint8Array {
  const spec = specOf(algorithm);
  if (spec.keyType === 'OKP' || spec.keyType === 'AKP') return signingInput;
  const digest = hash(spec.hash, signingInput, 'buffer');
  return spec.keyType === 'RSA' && spec.padding === 'pkcs1' ? Buffer.concat([DIGEST_INFO[spec.hash], digest]) : digest;
}
