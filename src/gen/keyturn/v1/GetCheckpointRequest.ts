// Original file: proto/keyturn/v1/audit_service.proto


export interface GetCheckpointRequest {
}

export interface GetCheckpointRequest__Output {
}
