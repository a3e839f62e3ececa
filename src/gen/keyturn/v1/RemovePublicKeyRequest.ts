// Original file: proto/keyturn/v1/imported_key.proto


export interface RemovePublicKeyRequest {
  'keySet'?: (string);
  'kid'?: (string);
  'compromised'?: (boolean);
  'validateOnly'?: (boolean);
  'reason'?: (string);
}

export interface RemovePublicKeyRequest__Output {
  'keySet': (string);
  'kid': (string);
  'compromised': (boolean);
  'validateOnly': (boolean);
  'reason': (string);
}
