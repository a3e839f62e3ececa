/** keyturn.v1.KeySetService. */
import { KeyturnError } from '../../base/errors.ts';
import { DEFAULT_KEY_SET, parseKeySetName } from '../../base/ids.ts';
import type { GetKeySetRequest__Output } from '../../gen/keyturn/v1/GetKeySetRequest.ts';
import type { GetKeySetResponse } from '../../gen/keyturn/v1/GetKeySetResponse.ts';
import type { KeySetServiceHandlers } from '../../gen/keyturn/v1/KeySetService.ts';
import { type HandlerPorts, unary } from './unary.ts';

export function createKeySetService(ports: HandlerPorts): KeySetServiceHandlers {
  return {
    GetKeySet: unary(ports, (request: GetKeySetRequest__Output): GetKeySetResponse => {
      const name = request.keySet === '' ? DEFAULT_KEY_SET : parseKeySetName(request.keySet);
      const found = ports.app.findKeySet(name);
      if (ports.app.isKeySetWithheld(name)) {
        throw new KeyturnError(
          'KEY_SET_WITHHELD',
          `key set ${name} is not published: the store may have forgotten what was withdrawn from it; decide with keyturn recover`,
          { subject: name, rule: 'fence' },
        );
      }
      if (found === undefined) {
        throw new KeyturnError(
          'KEY_SET_NOT_FOUND',
          `key set ${name} has no content yet; apply a signing key to it first`,
          { subject: name },
        );
      }
      const { keySet, generation, body, etag, maxAgeSeconds } = found;
      return { keySet, generation, jwks: body, etag, maxAge: { seconds: maxAgeSeconds, nanos: 0 } };
    }),
  };
}
