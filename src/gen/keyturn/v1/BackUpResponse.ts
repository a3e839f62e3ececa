// Original file: proto/keyturn/v1/store_service.proto


export interface BackUpResponse {
  'chunk'?: (Buffer | Uint8Array | string);
  'sha256'?: (Buffer | Uint8Array | string);
}

export interface BackUpResponse__Output {
  'chunk': (Buffer);
  'sha256': (Buffer);
}
