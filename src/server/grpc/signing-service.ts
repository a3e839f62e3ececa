/** keyturn.v1.SigningService. */
import type { Application, SignedJwt, SignJwtCommand } from '../../app/application.ts';
import { signBatch } from '../../app/sign-batch.ts';
import { KeyturnError } from '../../base/errors.ts';
import type { BatchSignJwtRequest__Output } from '../../gen/keyturn/v1/BatchSignJwtRequest.ts';
import type { BatchSignJwtResponse } from '../../gen/keyturn/v1/BatchSignJwtResponse.ts';
import type { SignJwtRequest__Output } from '../../gen/keyturn/v1/SignJwtRequest.ts';
import type { SignJwtResponse } from '../../gen/keyturn/v1/SignJwtResponse.ts';
import type { SigningServiceHandlers } from '../../gen/keyturn/v1/SigningService.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { parseDurationMs, toTimestamp } from './values.ts';

const MAX_BATCH = 256;

export function createSigningService(
  ports: HandlerPorts,
  signing: Pick<Application, 'signJwt'>,
): SigningServiceHandlers {
  return {
    SignJwt: unary(ports, async (request: SignJwtRequest__Output, { caller, deadlineMs }): Promise<SignJwtResponse> => {
      return toResponse(await signing.signJwt(caller, toCommand(request, deadlineMs)));
    }),

    BatchSignJwt: unary(
      ports,
      async ({ requests }: BatchSignJwtRequest__Output, context): Promise<BatchSignJwtResponse> => {
        const { caller, deadlineMs, toRpcStatus } = context;
        requireBatch(requests.length);
        const batch = {
          admit(index: number): void {
            // The call itself was counted for the first.
            if (index > 0) ports.policy.countRequest(caller);
          },
          sign: (request: SignJwtRequest__Output) => signing.signJwt(caller, toCommand(request, deadlineMs)),
        };
        const outcomes = await signBatch(batch, requests);
        const results = outcomes.map((outcome) =>
          outcome.status === 'fulfilled'
            ? { signed: toResponse(outcome.value) }
            : { error: toRpcStatus(outcome.reason) },
        );
        return { results };
      },
    ),
  };
}

function toCommand(
  { signingKey, claims, typ, lifetime }: SignJwtRequest__Output,
  deadlineMs: number | undefined,
): SignJwtCommand {
  return { signingKey, claims, typ, lifetimeMs: parseDurationMs(lifetime, 'lifetime'), deadlineMs };
}

function toResponse({ jwt, kid, expireTimeMs }: SignedJwt): SignJwtResponse {
  return { jwt, kid, expireTime: toTimestamp(expireTimeMs) };
}

function requireBatch(count: number): void {
  if (count >= 1 && count <= MAX_BATCH) return;
  throw new KeyturnError('FIELD_INVALID', `requests must hold 1 to ${MAX_BATCH} requests, and it holds ${count}`, {
    field: 'requests',
  });
}
