import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { Duration as _google_protobuf_Duration, Duration__Output as _google_protobuf_Duration__Output } from './google/protobuf/Duration.ts';
import type { Timestamp as _google_protobuf_Timestamp, Timestamp__Output as _google_protobuf_Timestamp__Output } from './google/protobuf/Timestamp.ts';
import type { SignJwtRequest as _keyturn_v1_SignJwtRequest, SignJwtRequest__Output as _keyturn_v1_SignJwtRequest__Output } from './keyturn/v1/SignJwtRequest.ts';
import type { SignJwtResponse as _keyturn_v1_SignJwtResponse, SignJwtResponse__Output as _keyturn_v1_SignJwtResponse__Output } from './keyturn/v1/SignJwtResponse.ts';
import type { SigningServiceClient as _keyturn_v1_SigningServiceClient, SigningServiceDefinition as _keyturn_v1_SigningServiceDefinition } from './keyturn/v1/SigningService.ts';

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
      SignJwtRequest: MessageTypeDefinition<_keyturn_v1_SignJwtRequest, _keyturn_v1_SignJwtRequest__Output>
      SignJwtResponse: MessageTypeDefinition<_keyturn_v1_SignJwtResponse, _keyturn_v1_SignJwtResponse__Output>
      SigningService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_SigningServiceClient> & { service: _keyturn_v1_SigningServiceDefinition }
    }
  }
}

