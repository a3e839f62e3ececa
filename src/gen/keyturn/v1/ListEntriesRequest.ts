// Original file: proto/keyturn/v1/audit_service.proto

import type { Long } from '@grpc/proto-loader';

export interface ListEntriesRequest {
  'fromSequence'?: (number | string | Long);
}

export interface ListEntriesRequest__Output {
  'fromSequence': (number);
}
