/** The client's methods about verify-only public keys of an old signer. All are idempotent, and tried again like other calls. */
import { KeyturnError } from '../base/errors.ts';
import type { ImportedKey__Output } from '../gen/keyturn/v1/ImportedKey.ts';
import type { ImportPublicKeyRequest as ImportPublicKeyMessage } from '../gen/keyturn/v1/ImportPublicKeyRequest.ts';
import type { RemovePublicKeyRequest as RemovePublicKeyMessage } from '../gen/keyturn/v1/RemovePublicKeyRequest.ts';
import { keyAdminMethods } from './protos.ts';
import type { Transport } from './transport.ts';
import type { CallOptions, PageRequest } from './types.ts';
import { fromTime, requirePart, requireTime, toTime } from './values.ts';

export interface ImportPublicKeyRequest {
  /** Default: `default`. */
  readonly keySet?: string | undefined;
  /** One public JWK, or its JSON in UTF-8. */
  readonly jwk: object | Uint8Array;
  /** A JWT by the key's private half; docs/guides/migrate.md says which. */
  readonly proof: string;
  readonly expireTime: Date;
  /** Check everything, change nothing. */
  readonly validateOnly?: boolean | undefined;
  /** Why; kept in the event log. */
  readonly reason: string;
}

export interface RemovePublicKeyRequest {
  /** Default: `default`. */
  readonly keySet?: string | undefined;
  readonly kid: string;
  /** Somebody else may have the private key. Default: false. */
  readonly compromised?: boolean | undefined;
  readonly validateOnly?: boolean | undefined;
  readonly reason: string;
}

export interface ImportedKey {
  readonly keySet: string;
  readonly kid: string;
  readonly algorithm: string;
  /** RFC 7638, SHA-256. */
  readonly thumbprint: string;
  readonly published: boolean;
  readonly importTime: Date;
  readonly expireTime: Date;
  /** Of the latest import or extension. */
  readonly caller: string;
  readonly reason: string;
  /** Both undefined while it is published. */
  readonly departureTime: Date | undefined;
  readonly departureCause: 'REMOVED' | 'COMPROMISED' | 'EXPIRED' | undefined;
}

export interface ImportOutcome {
  readonly importedKey: ImportedKey;
  readonly changed: boolean;
}

export interface ImportMethods {
  importPublicKey(request: ImportPublicKeyRequest, options?: CallOptions): Promise<ImportOutcome>;
  /** Final. STORE_UNAVAILABLE means that it is in effect and not durable yet. */
  removePublicKey(request: RemovePublicKeyRequest, options?: CallOptions): Promise<ImportOutcome>;
  /** Newest first, those that left included. */
  listPublicKeys(
    request?: PageRequest & { readonly keySet?: string | undefined },
    options?: CallOptions,
  ): Promise<{ readonly importedKeys: readonly ImportedKey[]; readonly nextPageToken: string }>;
}

export function createImportMethods(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): ImportMethods {
  return {
    async importPublicKey(request, options) {
      const message = toImportMessage(request);
      return fromOutcome(await transport.call(keyAdminMethods.ImportPublicKey, message, toDeadlineMs(options)));
    },
    async removePublicKey(request, options) {
      const message = toRemovalMessage(request);
      return fromOutcome(await transport.call(keyAdminMethods.RemovePublicKey, message, toDeadlineMs(options)));
    },
    async listPublicKeys({ keySet = '', pageSize = 0, pageToken = '' } = {}, options = {}) {
      const message = { keySet, pageSize, pageToken };
      const page = await transport.call(keyAdminMethods.ListPublicKeys, message, toDeadlineMs(options));
      return { importedKeys: page.importedKeys.map(fromImportedKey), nextPageToken: page.nextPageToken };
    },
  };
}

export function toImportMessage(request: ImportPublicKeyRequest): ImportPublicKeyMessage {
  const { keySet = '', jwk, proof, expireTime, validateOnly = false, reason } = request;
  const bytes = jwk instanceof Uint8Array ? jwk : Buffer.from(JSON.stringify(jwk));
  return { keySet, jwk: bytes, proof, expireTime: toTime(expireTime), validateOnly, reason };
}

export function toRemovalMessage(request: RemovePublicKeyRequest): RemovePublicKeyMessage {
  const { keySet = '', kid, compromised = false, validateOnly = false, reason } = request;
  return { keySet, kid, compromised, validateOnly, reason };
}

function fromOutcome(answer: { importedKey: ImportedKey__Output | null; changed: boolean }): ImportOutcome {
  return { importedKey: fromImportedKey(requirePart(answer.importedKey, 'imported_key')), changed: answer.changed };
}

const CAUSES = {
  DEPARTURE_CAUSE_UNSPECIFIED: undefined,
  DEPARTURE_CAUSE_REMOVED: 'REMOVED',
  DEPARTURE_CAUSE_COMPROMISED: 'COMPROMISED',
  DEPARTURE_CAUSE_EXPIRED: 'EXPIRED',
} as const;

function fromImportedKey(message: ImportedKey__Output): ImportedKey {
  const { departureCause, departureTime, importTime, expireTime, ...members } = message;
  if (!Object.hasOwn(CAUSES, departureCause)) {
    throw new KeyturnError(
      'INTERNAL',
      "the daemon names a cause of departure that this client doesn't know; update the client",
    );
  }
  return {
    ...members,
    importTime: requireTime(importTime, 'import_time'),
    expireTime: requireTime(expireTime, 'expire_time'),
    departureTime: fromTime(departureTime),
    departureCause: CAUSES[departureCause],
  };
}
