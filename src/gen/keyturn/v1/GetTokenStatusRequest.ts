// Original file: proto/keyturn/v1/token_service.proto


export interface GetTokenStatusRequest {
}

export interface GetTokenStatusRequest__Output {
}
