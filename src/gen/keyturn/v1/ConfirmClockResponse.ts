// Original file: proto/keyturn/v1/clock_service.proto

import type { GetClockStatusResponse as _keyturn_v1_GetClockStatusResponse, GetClockStatusResponse__Output as _keyturn_v1_GetClockStatusResponse__Output } from '../../keyturn/v1/GetClockStatusResponse.ts';

export interface ConfirmClockResponse {
  'status'?: (_keyturn_v1_GetClockStatusResponse | null);
}

export interface ConfirmClockResponse__Output {
  'status': (_keyturn_v1_GetClockStatusResponse__Output | null);
}
