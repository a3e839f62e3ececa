/** keyturn.v1.ClockService. */
import type { ClockStatus } from '../../app/application.ts';
import type { ClockServiceHandlers } from '../../gen/keyturn/v1/ClockService.ts';
import type { ConfirmClockRequest__Output } from '../../gen/keyturn/v1/ConfirmClockRequest.ts';
import type { ConfirmClockResponse } from '../../gen/keyturn/v1/ConfirmClockResponse.ts';
import type { GetClockStatusRequest__Output } from '../../gen/keyturn/v1/GetClockStatusRequest.ts';
import type { GetClockStatusResponse } from '../../gen/keyturn/v1/GetClockStatusResponse.ts';
import { type HandlerPorts, unary } from './unary.ts';
import { parseTimestampMs, toDuration, toSignedDuration, toTimestamp } from './values.ts';

export function createClockService(ports: HandlerPorts): ClockServiceHandlers {
  return {
    GetClockStatus: unary(ports, (_request: GetClockStatusRequest__Output) => toStatus(ports.app.clockStatus())),

    ConfirmClock: unary(
      ports,
      async ({ time, reason }: ConfirmClockRequest__Output, { caller }): Promise<ConfirmClockResponse> => {
        await ports.app.confirmClock(caller, parseTimestampMs(time, 'time'), reason);
        return { status: toStatus(ports.app.clockStatus()) };
      },
    ),
  };
}

function toStatus({ isTrusted, stepMs, stepLimitMs, wallMs }: ClockStatus): GetClockStatusResponse {
  return {
    trusted: isTrusted,
    step: toSignedDuration(stepMs),
    stepLimit: toDuration(stepLimitMs),
    time: toTimestamp(wallMs),
  };
}
