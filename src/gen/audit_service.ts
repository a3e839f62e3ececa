import type * as grpc from '@grpc/grpc-js';
import type { MessageTypeDefinition } from '@grpc/proto-loader';

import type { AuditServiceClient as _keyturn_v1_AuditServiceClient, AuditServiceDefinition as _keyturn_v1_AuditServiceDefinition } from './keyturn/v1/AuditService.ts';
import type { GetCheckpointRequest as _keyturn_v1_GetCheckpointRequest, GetCheckpointRequest__Output as _keyturn_v1_GetCheckpointRequest__Output } from './keyturn/v1/GetCheckpointRequest.ts';
import type { GetCheckpointResponse as _keyturn_v1_GetCheckpointResponse, GetCheckpointResponse__Output as _keyturn_v1_GetCheckpointResponse__Output } from './keyturn/v1/GetCheckpointResponse.ts';
import type { ListEntriesRequest as _keyturn_v1_ListEntriesRequest, ListEntriesRequest__Output as _keyturn_v1_ListEntriesRequest__Output } from './keyturn/v1/ListEntriesRequest.ts';
import type { ListEntriesResponse as _keyturn_v1_ListEntriesResponse, ListEntriesResponse__Output as _keyturn_v1_ListEntriesResponse__Output } from './keyturn/v1/ListEntriesResponse.ts';

type SubtypeConstructor<Constructor extends new (...args: any) => any, Subtype> = {
  new(...args: ConstructorParameters<Constructor>): Subtype;
};

export interface ProtoGrpcType {
  keyturn: {
    v1: {
      AuditService: SubtypeConstructor<typeof grpc.Client, _keyturn_v1_AuditServiceClient> & { service: _keyturn_v1_AuditServiceDefinition }
      GetCheckpointRequest: MessageTypeDefinition<_keyturn_v1_GetCheckpointRequest, _keyturn_v1_GetCheckpointRequest__Output>
      GetCheckpointResponse: MessageTypeDefinition<_keyturn_v1_GetCheckpointResponse, _keyturn_v1_GetCheckpointResponse__Output>
      ListEntriesRequest: MessageTypeDefinition<_keyturn_v1_ListEntriesRequest, _keyturn_v1_ListEntriesRequest__Output>
      ListEntriesResponse: MessageTypeDefinition<_keyturn_v1_ListEntriesResponse, _keyturn_v1_ListEntriesResponse__Output>
    }
  }
}

