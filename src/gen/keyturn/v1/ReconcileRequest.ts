// Original file: proto/keyturn/v1/token_service.proto


export interface ReconcileRequest {
}

export interface ReconcileRequest__Output {
}
