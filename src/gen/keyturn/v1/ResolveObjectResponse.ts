// Original file: proto/keyturn/v1/token_service.proto


export interface ResolveObjectResponse {
}

export interface ResolveObjectResponse__Output {
}
