// Original file: proto/keyturn/v1/key_admin_service.proto


export interface RotateRequest {
  'signingKey'?: (string);
  'useLastStandby'?: (boolean);
  'requestId'?: (string);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
}

export interface RotateRequest__Output {
  'signingKey': (string);
  'useLastStandby': (boolean);
  'requestId': (string);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
}
