import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Any as _google_protobuf_Any, Any__Output as _google_protobuf_Any__Output } from './google/protobuf/Any.ts';
import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { Status as _google_rpc_Status, Status__Output as _google_rpc_Status__Output } from './google/rpc/Status.ts';
import type { BatchSignJwtRequest as _keyturn_v1_BatchSignJwtRequest, BatchSignJwtRequest__Output as _keyturn_v1_BatchSignJwtRequest__Output } from './keyturn/v1/BatchSignJwtRequest.ts';
import type { BatchSignJwtResponse as _keyturn_v1_BatchSignJwtResponse, BatchSignJwtResponse__Output as _keyturn_v1_BatchSignJwtResponse__Output } from './keyturn/v1/BatchSignJwtResponse.ts';
import type { BatchSignJwtResult as _keyturn_v1_BatchSignJwtResult, BatchSignJwtResult__Output as _keyturn_v1_BatchSignJwtResult__Output } from './keyturn/v1/BatchSignJwtResult.ts';
import type { SignJwtRequest as _keyturn_v1_SignJwtRequest, SignJwtRequest__Output as _keyturn_v1_SignJwtRequest__Output } from './keyturn/v1/SignJwtRequest.ts';
import type { SignJwtResponse as _keyturn_v1_SignJwtResponse, SignJwtResponse__Output as _keyturn_v1_SignJwtResponse__Output } from './keyturn/v1/SignJwtResponse.ts';
import type { SigningServiceClient as _keyturn_v1_SigningServiceClient, SigningServiceDefinition as _keyturn_v1_SigningServiceDefinition } from './keyturn/v1/SigningService.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  google: {
    protobuf: {
      Any: MessageTypeDefinition<_google_protobuf_Any, _google_protobuf_Any__Output>
      Duration: MessageTypeDefinition<_google_protobuf_Duration, _google_protobuf_Duration__Output>
      Timestamp: MessageTypeDefinition<_google_protobuf_Timestamp, _google_protobuf_Timestamp__Output>
    }
    rpc: {
      Status: MessageTypeDefinition<_google_rpc_Status, _google_rpc_Status__Output>
    }
  }
  keyturn: {
    v1: {
      BatchSignJwtRequest: MessageTypeDefinition<_keyturn_v1_BatchSignJwtRequest, _keyturn_v1_BatchSignJwtRequest__Output>
      BatchSignJwtResponse: MessageTypeDefinition<_keyturn_v1_BatchSignJwtResponse, _keyturn_v1_BatchSignJwtResponse__Output>
      BatchSignJwtResult: MessageTypeDefinition<_keyturn_v1_BatchSignJwtResult, _keyturn_v1_BatchSignJwtResult__Output>
      SignJwtRequest: MessageTypeDefinition<_keyturn_v1_SignJwtRequest, _keyturn_v1_SignJwtRequest__Output>
      SignJwtResponse: MessageTypeDefinition<_keyturn_v1_SignJwtResponse, _keyturn_v1_SignJwtResponse__Output>
      SigningService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_SigningServiceClient> & { service: _keyturn_v1_SigningServiceDefinition }
    }
  }
}

