// Original file: proto/keyturn/v1/key_admin_service.proto


export interface UnretireRequest {
  'signingKey'?: (string);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
  'requestId'?: (string);
}

export interface UnretireRequest__Output {
  'signingKey': (string);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
  'requestId': (string);
}
