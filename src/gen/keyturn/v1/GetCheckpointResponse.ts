// Original file: proto/keyturn/v1/audit_service.proto


export interface GetCheckpointResponse {
  'head'?: (string);
  'checkpoint'?: (Buffer | Uint8Array | string);
}

export interface GetCheckpointResponse__Output {
  'head': (string);
  'checkpoint': (Buffer);
}
