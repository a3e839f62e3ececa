import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { GetKeySetRequest as _keyturn_v1_GetKeySetRequest, GetKeySetRequest__Output as _keyturn_v1_GetKeySetRequest__Output } from './keyturn/v1/GetKeySetRequest.ts';
import type { GetKeySetResponse as _keyturn_v1_GetKeySetResponse, GetKeySetResponse__Output as _keyturn_v1_GetKeySetResponse__Output } from './keyturn/v1/GetKeySetResponse.ts';
import type { KeySetServiceClient as _keyturn_v1_KeySetServiceClient, KeySetServiceDefinition as _keyturn_v1_KeySetServiceDefinition } from './keyturn/v1/KeySetService.ts';
import type { WatchKeySetRequest as _keyturn_v1_WatchKeySetRequest, WatchKeySetRequest__Output as _keyturn_v1_WatchKeySetRequest__Output } from './keyturn/v1/WatchKeySetRequest.ts';
import type { WatchKeySetResponse as _keyturn_v1_WatchKeySetResponse, WatchKeySetResponse__Output as _keyturn_v1_WatchKeySetResponse__Output } from './keyturn/v1/WatchKeySetResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
    }
  }
  keyturn: {
    v1: {
      GetKeySetRequest: MessageTypeDefinition<_keyturn_v1_GetKeySetRequest, _keyturn_v1_GetKeySetRequest__Output>
      GetKeySetResponse: MessageTypeDefinition<_keyturn_v1_GetKeySetResponse, _keyturn_v1_GetKeySetResponse__Output>
      KeySetService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_KeySetServiceClient> & { service: _keyturn_v1_KeySetServiceDefinition }
      WatchKeySetRequest: MessageTypeDefinition<_keyturn_v1_WatchKeySetRequest, _keyturn_v1_WatchKeySetRequest__Output>
      WatchKeySetResponse: MessageTypeDefinition<_keyturn_v1_WatchKeySetResponse, _keyturn_v1_WatchKeySetResponse__Output>
    }
  }
}

