/** keyturn.v1.TokenService. */
import type { Clock } from '../../base/clock.ts';
import type { GetTokenStatusRequest__Output } from '../../gen/keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse } from '../../gen/keyturn/v1/GetTokenStatusResponse.ts';
import type { RetryLoginRequest__Output } from '../../gen/keyturn/v1/RetryLoginRequest.ts';
import type { RetryLoginResponse } from '../../gen/keyturn/v1/RetryLoginResponse.ts';
import type { TokenServiceHandlers } from '../../gen/keyturn/v1/TokenService.ts';
import type { TokenState } from '../../gen/keyturn/v1/TokenState.ts';
import type { Worker } from '../../gen/keyturn/v1/Worker.ts';
import type { TokenStatus, WorkerStatus } from '../../hsm/hsm.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { toDuration } from './values.ts';

const TOKEN_STATES = {
  starting: 'TOKEN_STATE_STARTING',
  ready: 'TOKEN_STATE_READY',
  unavailable: 'TOKEN_STATE_UNAVAILABLE',
} as const satisfies Record<TokenStatus['state'], TokenState>;

export function createTokenService(ports: HandlerPorts): TokenServiceHandlers {
  return {
    GetTokenStatus: unary(ports, (_request: GetTokenStatusRequest__Output): GetTokenStatusResponse => {
      const { state, workers, ...status } = ports.app.tokenStatus();
      return { ...status, state: TOKEN_STATES[state], workers: workers.map((worker) => toWorker(worker, ports.clock)) };
    }),

    RetryLogin: unary(ports, async ({ reason }: RetryLoginRequest__Output, { caller }): Promise<RetryLoginResponse> => {
      await ports.app.retryLogin(caller, reason);
      return {};
    }),
  };
}

function toWorker({ sinceMs, ...worker }: WorkerStatus, clock: Clock): Worker {
  return { ...worker, uptime: toDuration(clock.monotonicMs() - sinceMs) };
}
