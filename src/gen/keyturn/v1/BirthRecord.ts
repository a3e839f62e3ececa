// Original file: proto/keyturn/v1/key_admin_service.proto


export interface BirthRecord {
  'tokenSerial'?: (string);
  'tokenLabel'?: (string);
  'manufacturer'?: (string);
  'model'?: (string);
  'firmwareVersion'?: (string);
  'attributes'?: ({[key: string]: string});
}

export interface BirthRecord__Output {
  'tokenSerial': (string);
  'tokenLabel': (string);
  'manufacturer': (string);
  'model': (string);
  'firmwareVersion': (string);
  'attributes': ({[key: string]: string});
}
