// Original file: proto/keyturn/v1/audit_service.proto


export interface ListEntriesResponse {
  'lines'?: (Buffer | Uint8Array | string)[];
}

export interface ListEntriesResponse__Output {
  'lines': (Buffer)[];
}
