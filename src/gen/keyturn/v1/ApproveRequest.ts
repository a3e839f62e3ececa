// Original file: proto/keyturn/v1/approval_service.proto


export interface ApproveRequest {
  'id'?: (string);
  'requestSha256'?: (string);
  'effectSha256'?: (string);
  'reason'?: (string);
}

export interface ApproveRequest__Output {
  'id': (string);
  'requestSha256': (string);
  'effectSha256': (string);
  'reason': (string);
}
