// Original file: proto/keyturn/v1/clock_service.proto


export interface GetClockStatusRequest {
}

export interface GetClockStatusRequest__Output {
}
