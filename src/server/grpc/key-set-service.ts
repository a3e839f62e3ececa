/** keyturn.v1.KeySetService. */
import type { KeySetSnapshot } from '../../app/application.ts';
import { KeyturnError } from '../../base/errors.ts';
import { DEFAULT_KEY_SET, type KeySetName, parseKeySetName } from '../../base/ids.ts';
import type { GetKeySetRequest__Output } from '../../gen/keyturn/v1/GetKeySetRequest.ts';
import type { GetKeySetResponse } from '../../gen/keyturn/v1/GetKeySetResponse.ts';
import type { KeySetServiceHandlers } from '../../gen/keyturn/v1/KeySetService.ts';
import type { WatchKeySetRequest__Output } from '../../gen/keyturn/v1/WatchKeySetRequest.ts';
import type { WatchKeySetResponse } from '../../gen/keyturn/v1/WatchKeySetResponse.ts';
import type { KeySetWatches } from './key-set-watches.ts';
import { findPublished } from './published-key-set.ts';
import { serverStream } from './server-stream.ts';
import { type HandlerPorts, unary } from './unary.ts';

export function createKeySetService(ports: HandlerPorts, watches: KeySetWatches): KeySetServiceHandlers {
  return {
    GetKeySet: unary(ports, ({ keySet }: GetKeySetRequest__Output): GetKeySetResponse => {
      const name = toName(keySet);
      const found = findPublished(ports.app, name);
      if (found !== undefined) return toResponse(found);
      throw new KeyturnError(
        'KEY_SET_NOT_FOUND',
        `key set ${name} has no content yet; apply a signing key to it first`,
        { subject: name },
      );
    }),

    WatchKeySet: serverStream(ports, ({ keySet }: WatchKeySetRequest__Output, stream) =>
      toResponses(watches.open(toName(keySet), stream)),
    ),
  };
}

function toName(text: string): KeySetName {
  return text === '' ? DEFAULT_KEY_SET : parseKeySetName(text);
}

function toResponse({ keySet, generation, body, etag, maxAgeSeconds }: KeySetSnapshot): GetKeySetResponse {
  return { keySet, generation, jwks: body, etag, maxAge: { seconds: maxAgeSeconds, nanos: 0 } };
}

async function* toResponses(snapshots: AsyncIterable<KeySetSnapshot>): AsyncIterable<WatchKeySetResponse> {
  for await (const snapshot of snapshots) yield toResponse(snapshot);
}
