/**
 * Branded names and ids: a value of such a type was checked by its parser, so nobody checks it again.
 */
import { KeyturnError } from './errors.ts';

declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** The named thing callers sign with, such as `access-tokens`. */
export type SigningKeyName = Branded<'SigningKeyName'>;
/** A set of public keys published together, such as `default`. */
export type KeySetName = Branded<'KeySetName'>;
/** A caller's name in the access policy. */
export type CallerName = Branded<'CallerName'>;
/** A group of callers in the access policy. */
export type GroupName = Branded<'GroupName'>;
/**
 * Public id of a key in a key set. Of a key version it is the RFC 7638 thumbprint (SHA-256, base64url, 43 characters); an
 * imported key keeps what its old signer called it.
 */
export type Kid = Branded<'Kid'>;
/** CKA_ID of a key pair in the token: 16 random bytes, as 32 lower-case hexadecimal digits. */
export type CkaId = Branded<'CkaId'>;

/** A DNS label (RFC 1123): safe in URLs, file names, CKA_LABEL and metrics labels. */
const NAME = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/;
const KID = /^[A-Za-z0-9_-]{43}$/;
/** Visible ASCII and blanks: what goes through JSON, logs and terminals unchanged. */
const PUBLISHED_KID = /^[\x20-\x7e]{1,256}$/;
const CKA_ID = /^[0-9a-f]{32}$/;

/** The key set at the well-known address. */
export const DEFAULT_KEY_SET = 'default' as KeySetName;

function parseName<T extends string>(value: unknown, field: string): T {
  if (typeof value === 'string' && NAME.test(value)) return value as T;
  throw new KeyturnError(
    'FIELD_INVALID',
    `${field} must be 1 to 63 lower-case letters, digits or hyphens, beginning with a letter and not ending with a hyphen`,
    { field },
  );
}

export function parseSigningKeyName(value: unknown, field = 'signing_key'): SigningKeyName {
  return parseName<SigningKeyName>(value, field);
}

export function parseKeySetName(value: unknown, field = 'key_set'): KeySetName {
  return parseName<KeySetName>(value, field);
}

export function parseCallerName(value: unknown, field = 'caller'): CallerName {
  return parseName<CallerName>(value, field);
}

export function parseGroupName(value: unknown, field = 'group'): GroupName {
  return parseName<GroupName>(value, field);
}

export function parseKid(value: unknown, field = 'kid'): Kid {
  if (typeof value === 'string' && KID.test(value)) return value as Kid;
  throw new KeyturnError('FIELD_INVALID', `${field} must be a SHA-256 JWK thumbprint (43 characters of base64url)`, {
    field,
  });
}

/** The kid of any key in a key set. */
export function parsePublishedKid(value: unknown, field = 'kid'): Kid {
  if (typeof value === 'string' && PUBLISHED_KID.test(value)) return value as Kid;
  throw new KeyturnError('FIELD_INVALID', `${field} must be 1 to 256 characters of visible ASCII`, { field });
}

export function parseCkaId(value: unknown, field = 'cka_id'): CkaId {
  if (typeof value === 'string' && CKA_ID.test(value)) return value as CkaId;
  throw new KeyturnError('FIELD_INVALID', `${field} must be 32 lower-case hexadecimal digits`, { field });
}
