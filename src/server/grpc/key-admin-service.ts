/** keyturn.v1.KeyAdminService. */
import { KeyturnError } from '../../base/errors.ts';
import type { ApplySigningKeyRequest__Output } from '../../gen/keyturn/v1/ApplySigningKeyRequest.ts';
import type { ApplySigningKeyResponse } from '../../gen/keyturn/v1/ApplySigningKeyResponse.ts';
import type { DeclareCompromisedRequest__Output } from '../../gen/keyturn/v1/DeclareCompromisedRequest.ts';
import type { DeclareCompromisedResponse } from '../../gen/keyturn/v1/DeclareCompromisedResponse.ts';
import type { GetSigningKeyRequest__Output } from '../../gen/keyturn/v1/GetSigningKeyRequest.ts';
import type { GetSigningKeyResponse } from '../../gen/keyturn/v1/GetSigningKeyResponse.ts';
import type { KeyAdminServiceHandlers } from '../../gen/keyturn/v1/KeyAdminService.ts';
import type { ListKeyVersionsRequest__Output } from '../../gen/keyturn/v1/ListKeyVersionsRequest.ts';
import type { ListKeyVersionsResponse } from '../../gen/keyturn/v1/ListKeyVersionsResponse.ts';
import type { ListSigningKeysRequest__Output } from '../../gen/keyturn/v1/ListSigningKeysRequest.ts';
import type { ListSigningKeysResponse } from '../../gen/keyturn/v1/ListSigningKeysResponse.ts';
import type { PlanRequest__Output } from '../../gen/keyturn/v1/PlanRequest.ts';
import type { PlanResponse } from '../../gen/keyturn/v1/PlanResponse.ts';
import type { ReactivateRequest__Output } from '../../gen/keyturn/v1/ReactivateRequest.ts';
import type { ReactivateResponse } from '../../gen/keyturn/v1/ReactivateResponse.ts';
import type { RetireRequest__Output } from '../../gen/keyturn/v1/RetireRequest.ts';
import type { RetireResponse } from '../../gen/keyturn/v1/RetireResponse.ts';
import type { RollbackRequest__Output } from '../../gen/keyturn/v1/RollbackRequest.ts';
import type { RollbackResponse } from '../../gen/keyturn/v1/RollbackResponse.ts';
import type { RotateRequest__Output } from '../../gen/keyturn/v1/RotateRequest.ts';
import type { RotateResponse } from '../../gen/keyturn/v1/RotateResponse.ts';
import type { ScheduleRotationRequest__Output } from '../../gen/keyturn/v1/ScheduleRotationRequest.ts';
import type { ScheduleRotationResponse } from '../../gen/keyturn/v1/ScheduleRotationResponse.ts';
import type { SuspendRequest__Output } from '../../gen/keyturn/v1/SuspendRequest.ts';
import type { SuspendResponse } from '../../gen/keyturn/v1/SuspendResponse.ts';
import type { UnretireRequest__Output } from '../../gen/keyturn/v1/UnretireRequest.ts';
import type { UnretireResponse } from '../../gen/keyturn/v1/UnretireResponse.ts';
import { toDeclaration } from './command-input.ts';
import { createImportHandlers } from './import-handlers.ts';
import { toPlanResponse } from './plan-views.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { toProposed } from './signing-key-input.ts';
import { parseDurationMs, parseTimestampMs } from './values.ts';
import { toCompromiseEffect, toKeyVersion, toSigningKey } from './views.ts';

export function createKeyAdminService(ports: HandlerPorts): KeyAdminServiceHandlers {
  const { app } = ports;
  return {
    ...createImportHandlers(ports),

    ApplySigningKey: unary(
      ports,
      async (request: ApplySigningKeyRequest__Output, { caller, deadlineMs }): Promise<ApplySigningKeyResponse> => {
        const { signingKey, etag, validateOnly, reason } = request;
        if (signingKey === null)
          throw new KeyturnError('FIELD_INVALID', 'signing_key must be set', { field: 'signing_key' });
        const applied = await app.applySigningKey(caller, {
          ...toProposed(signingKey),
          etag,
          validateOnly,
          reason,
          deadlineMs,
        });
        return { signingKey: toSigningKey(applied.signingKey), changed: applied.changed };
      },
    ),

    GetSigningKey: unary(ports, ({ name }: GetSigningKeyRequest__Output): GetSigningKeyResponse => {
      return { signingKey: toSigningKey(app.getSigningKey(name)) };
    }),

    ListSigningKeys: unary(
      ports,
      ({ pageSize, pageToken }: ListSigningKeysRequest__Output): ListSigningKeysResponse => {
        const { items, nextPageToken } = app.listSigningKeys(pageSize, pageToken);
        return { signingKeys: items.map(toSigningKey), nextPageToken };
      },
    ),

    ListKeyVersions: unary(
      ports,
      ({ signingKey, pageSize, pageToken }: ListKeyVersionsRequest__Output): ListKeyVersionsResponse => {
        const { items, nextPageToken } = app.listKeyVersions(signingKey, pageSize, pageToken);
        return { keyVersions: items.map(toKeyVersion), nextPageToken };
      },
    ),

    Rotate: unary(ports, async (request: RotateRequest__Output, { caller }): Promise<RotateResponse> => {
      const { signingKey, activated, suspended } = await app.rotate(caller, request);
      return {
        signingKey: toSigningKey(signingKey),
        activated: toKeyVersion(activated),
        suspended: suspended === undefined ? null : toKeyVersion(suspended),
      };
    }),

    Suspend: unary(ports, async (request: SuspendRequest__Output, { caller }): Promise<SuspendResponse> => {
      return { signingKey: toSigningKey(await app.suspend(caller, request)) };
    }),

    Reactivate: unary(ports, async (request: ReactivateRequest__Output, { caller }): Promise<ReactivateResponse> => {
      return { signingKey: toSigningKey(await app.reactivate(caller, request)) };
    }),

    Rollback: unary(ports, async (request: RollbackRequest__Output, { caller }): Promise<RollbackResponse> => {
      return { signingKey: toSigningKey(await app.rollback(caller, request)) };
    }),

    Retire: unary(ports, async (request: RetireRequest__Output, { caller }): Promise<RetireResponse> => {
      return { signingKey: toSigningKey(await app.retire(caller, request)) };
    }),

    Unretire: unary(ports, async (request: UnretireRequest__Output, { caller }): Promise<UnretireResponse> => {
      return { signingKey: toSigningKey(await app.unretire(caller, request)) };
    }),

    ScheduleRotation: unary(
      ports,
      async (request: ScheduleRotationRequest__Output, { caller }): Promise<ScheduleRotationResponse> => {
        const dueMs = parseSchedule(request);
        return { signingKey: toSigningKey(await app.scheduleRotation(caller, { ...request, dueMs })) };
      },
    ),

    DeclareCompromised: unary(
      ports,
      async (request: DeclareCompromisedRequest__Output, { caller }): Promise<DeclareCompromisedResponse> => {
        const { validateOnly, requestId } = request;
        const command = { ...toDeclaration(request), validateOnly, requestId };
        const effects = await app.declareCompromised(caller, command);
        return { effects: effects.map(toCompromiseEffect) };
      },
    ),

    Plan: unary(ports, async (request: PlanRequest__Output, { caller, deadlineMs }): Promise<PlanResponse> => {
      const { signingKey, proposed, horizon } = request;
      return toPlanResponse(
        await app.plan(caller, {
          signingKey,
          proposed: proposed.map(toProposed),
          horizonMs: parseDurationMs(horizon, 'horizon'),
          deadlineMs,
        }),
      );
    }),
  };
}

/** Nothing is taken back by omission, either. */
function parseSchedule({ rotateTime = null, cancel }: ScheduleRotationRequest__Output): number | undefined {
  if (rotateTime !== null) return parseTimestampMs(rotateTime, 'rotate_time');
  if (cancel === true) return undefined;
  throw new KeyturnError('FIELD_INVALID', 'schedule must be set: rotate_time, or cancel as true', {
    field: 'schedule',
  });
}
