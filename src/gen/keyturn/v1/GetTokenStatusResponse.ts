// Original file: proto/keyturn/v1/token_service.proto

import type { TokenState as _keyturn_v1_TokenState, TokenState__Output as _keyturn_v1_TokenState__Output } from '../../keyturn/v1/TokenState.ts';
import type { Worker as _keyturn_v1_Worker, Worker__Output as _keyturn_v1_Worker__Output } from '../../keyturn/v1/Worker.ts';
import type { Long } from '@grpc/proto-loader';

export interface GetTokenStatusResponse {
  'state'?: (_keyturn_v1_TokenState);
  'reason'?: (string);
  'message'?: (string);
  'label'?: (string);
  'serial'?: (string);
  'manufacturer'?: (string);
  'model'?: (string);
  'firmwareVersion'?: (string);
  'workers'?: (_keyturn_v1_Worker)[];
  'workerRestarts'?: (number | string | Long);
  'queueDepth'?: (number);
}

export interface GetTokenStatusResponse__Output {
  'state': (_keyturn_v1_TokenState__Output);
  'reason': (string);
  'message': (string);
  'label': (string);
  'serial': (string);
  'manufacturer': (string);
  'model': (string);
  'firmwareVersion': (string);
  'workers': (_keyturn_v1_Worker__Output)[];
  'workerRestarts': (number);
  'queueDepth': (number);
}
