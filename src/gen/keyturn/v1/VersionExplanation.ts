// Original file: proto/keyturn/v1/key_admin_service.proto

import type { KeyVersionState as _keyturn_v1_KeyVersionState, KeyVersionState__Output as _keyturn_v1_KeyVersionState__Output } from '../../keyturn/v1/KeyVersionState.ts';
import type { Prospect as _keyturn_v1_Prospect, Prospect__Output as _keyturn_v1_Prospect__Output } from '../../keyturn/v1/Prospect.ts';

export interface VersionExplanation {
  'signingKey'?: (string);
  'version'?: (number);
  'state'?: (_keyturn_v1_KeyVersionState);
  'published'?: (boolean);
  'why'?: (string);
  'next'?: (_keyturn_v1_Prospect)[];
}

export interface VersionExplanation__Output {
  'signingKey': (string);
  'version': (number);
  'state': (_keyturn_v1_KeyVersionState__Output);
  'published': (boolean);
  'why': (string);
  'next': (_keyturn_v1_Prospect__Output)[];
}
