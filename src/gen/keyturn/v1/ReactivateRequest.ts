// Original file: proto/keyturn/v1/key_admin_service.proto


export interface ReactivateRequest {
  'signingKey'?: (string);
  'version'?: (number);
  'validateOnly'?: (boolean);
  'etag'?: (string);
  'reason'?: (string);
  'requestId'?: (string);
}

export interface ReactivateRequest__Output {
  'signingKey': (string);
  'version': (number);
  'validateOnly': (boolean);
  'etag': (string);
  'reason': (string);
  'requestId': (string);
}
