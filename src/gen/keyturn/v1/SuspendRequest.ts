// Original file: proto/keyturn/v1/key_admin_service.proto


export interface SuspendRequest {
  'signingKey'?: (string);
  'halt'?: (boolean);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
  'requestId'?: (string);
}

export interface SuspendRequest__Output {
  'signingKey': (string);
  'halt': (boolean);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
  'requestId': (string);
}
