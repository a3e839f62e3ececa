// Original file: proto/keyturn/v1/key_admin_service.proto


export interface RollbackRequest {
  'signingKey'?: (string);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
  'requestId'?: (string);
}

export interface RollbackRequest__Output {
  'signingKey': (string);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
  'requestId': (string);
}
