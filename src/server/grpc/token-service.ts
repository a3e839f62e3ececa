/** keyturn.v1.TokenService. */
import type { Clock } from '../../base/clock.ts';
import type { Finding as FindingMessage } from '../../gen/keyturn/v1/Finding.ts';
import type { FindingKind as FindingKindMessage } from '../../gen/keyturn/v1/FindingKind.ts';
import type { ReconcileRequest__Output } from '../../gen/keyturn/v1/ReconcileRequest.ts';
import type { ReconcileResponse } from '../../gen/keyturn/v1/ReconcileResponse.ts';
import type { ResolveObjectRequest__Output } from '../../gen/keyturn/v1/ResolveObjectRequest.ts';
import type { ResolveObjectResponse } from '../../gen/keyturn/v1/ResolveObjectResponse.ts';
import type { GetTokenStatusRequest__Output } from '../../gen/keyturn/v1/GetTokenStatusRequest.ts';
import type { GetTokenStatusResponse } from '../../gen/keyturn/v1/GetTokenStatusResponse.ts';
import type { RetryLoginRequest__Output } from '../../gen/keyturn/v1/RetryLoginRequest.ts';
import type { RetryLoginResponse } from '../../gen/keyturn/v1/RetryLoginResponse.ts';
import type { TokenServiceHandlers } from '../../gen/keyturn/v1/TokenService.ts';
import type { TokenState } from '../../gen/keyturn/v1/TokenState.ts';
import type { Worker } from '../../gen/keyturn/v1/Worker.ts';
import type { TokenStatus, WorkerStatus } from '../../hsm/hsm.ts';
import type { Finding, FindingKind } from '../../lifecycle/reconcile.ts';
import { toResolution } from './command-input.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { toDuration, toOptionalTimestamp } from './values.ts';

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

    Reconcile: unary(ports, async (_request: ReconcileRequest__Output): Promise<ReconcileResponse> => {
      const findings = await ports.app.reconcile();
      const restoration = ports.app.restoration();
      return {
        findings: findings.map(toFinding),
        fencedSigningKeys: [...ports.app.fencedSigningKeys()],
        restoreTime: toOptionalTimestamp(restoration?.atMs),
        knownUntilTime: toOptionalTimestamp(restoration?.knownUntilMs),
      };
    }),

    ResolveObject: unary(
      ports,
      async (request: ResolveObjectRequest__Output, { caller }): Promise<ResolveObjectResponse> => {
        await ports.app.resolveObject(caller, toResolution(request));
        return {};
      },
    ),

    RetryLogin: unary(ports, async ({ reason }: RetryLoginRequest__Output, { caller }): Promise<RetryLoginResponse> => {
      await ports.app.retryLogin(caller, reason);
      return {};
    }),
  };
}

const FINDING_KINDS = {
  orphan: 'FINDING_KIND_ORPHAN',
  resurrected: 'FINDING_KIND_RESURRECTED',
  missing: 'FINDING_KIND_MISSING',
  duplicate: 'FINDING_KIND_DUPLICATE',
  challengeFailed: 'FINDING_KIND_CHALLENGE_FAILED',
} as const satisfies Record<FindingKind, FindingKindMessage>;

function toFinding({ kind, ckaId, ckaLabel, signingKey = '', version = 0 }: Finding): FindingMessage {
  return { kind: FINDING_KINDS[kind], ckaId, ckaLabel, signingKey, version };
}

function toWorker({ sinceMs, ...worker }: WorkerStatus, clock: Clock): Worker {
  return { ...worker, uptime: toDuration(clock.monotonicMs() - sinceMs) };
}
