// Original file: proto/keyturn/v1/key_set_service.proto


export interface WatchKeySetRequest {
  'keySet'?: (string);
}

export interface WatchKeySetRequest__Output {
  'keySet': (string);
}
