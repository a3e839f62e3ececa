// Original file: proto/keyturn/v1/approval_service.proto


export interface CancelProposalRequest {
  'id'?: (string);
  'reason'?: (string);
}

export interface CancelProposalRequest__Output {
  'id': (string);
  'reason': (string);
}
