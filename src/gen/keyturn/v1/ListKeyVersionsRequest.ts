// Original file: proto/keyturn/v1/key_admin_service.proto


export interface ListKeyVersionsRequest {
  'signingKey'?: (string);
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListKeyVersionsRequest__Output {
  'signingKey': (string);
  'pageSize': (number);
  'pageToken': (string);
}
