// Original file: proto/keyturn/v1/approval_service.proto


export interface ListProposalsRequest {
  'pageSize'?: (number);
  'pageToken'?: (string);
}

export interface ListProposalsRequest__Output {
  'pageSize': (number);
  'pageToken': (string);
}
