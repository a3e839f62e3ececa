// Original file: proto/keyturn/v1/token_service.proto


export interface RetryLoginResponse {
}

export interface RetryLoginResponse__Output {
}
