/** The kid of a public key: its JWK thumbprint (RFC 7638) with SHA-256. */
import { hash } from 'node:crypto';
import { assertNever } from '../base/assert-never.ts';
import { type Kid, parseKid } from '../base/ids.ts';
import type { PublicKeyMembers } from './jwk.ts';

export function toKid(members: PublicKeyMembers): Kid {
  return parseKid(hash('sha256', JSON.stringify(requiredMembers(members)), 'base64url'));
}

/** RFC 7638, section 3.2 (RFC 8037, section 2, for OKP; RFC 9964 for AKP): exactly these members, ordered by name. */
function requiredMembers(members: PublicKeyMembers): Readonly<Record<string, string>> {
  switch (members.kty) {
    case 'RSA':
      return { e: members.e, kty: members.kty, n: members.n };
    case 'EC':
      return { crv: members.crv, kty: members.kty, x: members.x, y: members.y };
    case 'OKP':
      return { crv: members.crv, kty: members.kty, x: members.x };
    case 'AKP':
      return { alg: members.alg, kty: members.kty, pub: members.pub };
    default:
      return assertNever(members);
  }
}
