// Original file: proto/keyturn/v1/key_admin_service.proto


export interface CompromisedVersion {
  'signingKey'?: (string);
  'version'?: (number);
}

export interface CompromisedVersion__Output {
  'signingKey': (string);
  'version': (number);
}
