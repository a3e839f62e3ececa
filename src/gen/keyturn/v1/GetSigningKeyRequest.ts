// Original file: proto/keyturn/v1/key_admin_service.proto


export interface GetSigningKeyRequest {
  'name'?: (string);
}

export interface GetSigningKeyRequest__Output {
  'name': (string);
}
