// Original file: proto/keyturn/v1/token_service.proto


export interface RetryLoginRequest {
  'reason'?: (string);
}

export interface RetryLoginRequest__Output {
  'reason': (string);
}
