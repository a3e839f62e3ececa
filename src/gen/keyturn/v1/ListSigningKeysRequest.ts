// Original file: proto/keyturn/v1/key_admin_service.proto


export interface ListSigningKeysRequest {
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListSigningKeysRequest__Output {
  'pageSize': (number);
  'pageToken': (string);
}
