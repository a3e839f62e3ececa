// Original file: proto/keyturn/v1/key_set_service.proto


export interface GetKeySetRequest {
  'keySet'?: (string);
}

export interface GetKeySetRequest__Output {
  'keySet': (string);
}
