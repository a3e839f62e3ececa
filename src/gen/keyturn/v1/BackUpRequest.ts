// Original file: proto/keyturn/v1/store_service.proto


export interface BackUpRequest {
}

export interface BackUpRequest__Output {
}
