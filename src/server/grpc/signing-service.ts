/** keyturn.v1.SigningService. */
import type { Application } from '../../app/application.ts';
import type { SignJwtRequest__Output } from '../../gen/keyturn/v1/SignJwtRequest.ts';
import type { SignJwtResponse } from '../../gen/keyturn/v1/SignJwtResponse.ts';
import type { SigningServiceHandlers } from '../../gen/keyturn/v1/SigningService.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { parseDurationMs, toTimestamp } from './values.ts';

export function createSigningService(
  ports: HandlerPorts,
  signing: Pick<Application, 'signJwt'>,
): SigningServiceHandlers {
  return {
    SignJwt: unary(ports, async (request: SignJwtRequest__Output, { caller, deadlineMs }): Promise<SignJwtResponse> => {
      const { jwt, kid, expireTimeMs } = await signing.signJwt(caller, {
        signingKey: request.signingKey,
        claims: request.claims,
        typ: request.typ,
        lifetimeMs: parseDurationMs(request.lifetime, 'lifetime'),
        deadlineMs,
      });
      return { jwt, kid, expireTime: toTimestamp(expireTimeMs) };
    }),
  };
}
