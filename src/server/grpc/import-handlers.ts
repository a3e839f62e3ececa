/** The methods of keyturn.v1.KeyAdminService about verify-only public keys of an old signer. */
import type { ImportedKeyView } from '../../app/application.ts';
import type { ImportedKey } from '../../gen/keyturn/v1/ImportedKey.ts';
import type { ImportPublicKeyRequest__Output } from '../../gen/keyturn/v1/ImportPublicKeyRequest.ts';
import type { ImportPublicKeyResponse } from '../../gen/keyturn/v1/ImportPublicKeyResponse.ts';
import type { KeyAdminServiceHandlers } from '../../gen/keyturn/v1/KeyAdminService.ts';
import type { ListPublicKeysRequest__Output } from '../../gen/keyturn/v1/ListPublicKeysRequest.ts';
import type { ListPublicKeysResponse } from '../../gen/keyturn/v1/ListPublicKeysResponse.ts';
import type { RemovePublicKeyRequest__Output } from '../../gen/keyturn/v1/RemovePublicKeyRequest.ts';
import type { RemovePublicKeyResponse } from '../../gen/keyturn/v1/RemovePublicKeyResponse.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { parseTimestampMs, toOptionalTimestamp, toTimestamp } from './values.ts';

type ImportHandlers = Pick<KeyAdminServiceHandlers, 'ImportPublicKey' | 'RemovePublicKey' | 'ListPublicKeys'>;

export function createImportHandlers(ports: HandlerPorts): ImportHandlers {
  const { app } = ports;
  return {
    ImportPublicKey: unary(
      ports,
      async (request: ImportPublicKeyRequest__Output, { caller }): Promise<ImportPublicKeyResponse> => {
        const { expireTime, ...command } = request;
        const expiresAtMs = parseTimestampMs(expireTime, 'expire_time');
        const { importedKey, changed } = await app.importPublicKey(caller, { ...command, expiresAtMs });
        return { importedKey: toImportedKey(importedKey), changed };
      },
    ),

    RemovePublicKey: unary(
      ports,
      async (request: RemovePublicKeyRequest__Output, { caller }): Promise<RemovePublicKeyResponse> => {
        const { importedKey, changed } = await app.removePublicKey(caller, request);
        return { importedKey: toImportedKey(importedKey), changed };
      },
    ),

    ListPublicKeys: unary(
      ports,
      ({ keySet, pageSize, pageToken }: ListPublicKeysRequest__Output): ListPublicKeysResponse => {
        const { items, nextPageToken } = app.listPublicKeys(keySet, pageSize, pageToken);
        return { importedKeys: items.map(toImportedKey), nextPageToken };
      },
    ),
  };
}

const CAUSES = {
  removed: 'DEPARTURE_CAUSE_REMOVED',
  compromised: 'DEPARTURE_CAUSE_COMPROMISED',
  expired: 'DEPARTURE_CAUSE_EXPIRED',
} as const;

function toImportedKey(view: ImportedKeyView): ImportedKey {
  const { keySet, kid, algorithm, thumbprint, isPublished, caller, reason, departure } = view;
  return {
    keySet,
    kid,
    algorithm,
    thumbprint,
    published: isPublished,
    importTime: toTimestamp(view.importedAtMs),
    expireTime: toTimestamp(view.expiresAtMs),
    caller,
    reason,
    departureTime: toOptionalTimestamp(departure?.atMs),
    departureCause: departure === undefined ? 'DEPARTURE_CAUSE_UNSPECIFIED' : CAUSES[departure.cause],
  };
}
