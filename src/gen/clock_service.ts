import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { ClockServiceClient as _keyturn_v1_ClockServiceClient, ClockServiceDefinition as _keyturn_v1_ClockServiceDefinition } from './keyturn/v1/ClockService.ts';
import type { ConfirmClockRequest as _keyturn_v1_ConfirmClockRequest, ConfirmClockRequest__Output as _keyturn_v1_ConfirmClockRequest__Output } from './keyturn/v1/ConfirmClockRequest.ts';
import type { ConfirmClockResponse as _keyturn_v1_ConfirmClockResponse, ConfirmClockResponse__Output as _keyturn_v1_ConfirmClockResponse__Output } from './keyturn/v1/ConfirmClockResponse.ts';
import type { GetClockStatusRequest as _keyturn_v1_GetClockStatusRequest, GetClockStatusRequest__Output as _keyturn_v1_GetClockStatusRequest__Output } from './keyturn/v1/GetClockStatusRequest.ts';
import type { GetClockStatusResponse as _keyturn_v1_GetClockStatusResponse, GetClockStatusResponse__Output as _keyturn_v1_GetClockStatusResponse__Output } from './keyturn/v1/GetClockStatusResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
  }
  keyturn: {
    v1: {
      ClockService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_ClockServiceClient> & { service: _keyturn_v1_ClockServiceDefinition }
      ConfirmClockRequest: MessageTypeDefinition<_keyturn_v1_ConfirmClockRequest, _keyturn_v1_ConfirmClockRequest__Output>
      ConfirmClockResponse: MessageTypeDefinition<_keyturn_v1_ConfirmClockResponse, _keyturn_v1_ConfirmClockResponse__Output>
      GetClockStatusRequest: MessageTypeDefinition<_keyturn_v1_GetClockStatusRequest, _keyturn_v1_GetClockStatusRequest__Output>
      GetClockStatusResponse: MessageTypeDefinition<_keyturn_v1_GetClockStatusResponse, _keyturn_v1_GetClockStatusResponse__Output>
    }
  }
}

