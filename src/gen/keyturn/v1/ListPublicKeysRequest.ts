// Original file: proto/keyturn/v1/imported_key.proto


export interface ListPublicKeysRequest {
  'keySet'?: (string);
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListPublicKeysRequest__Output {
  'keySet': (string);
  'pageSize': (number);
  'pageToken': (string);
}
