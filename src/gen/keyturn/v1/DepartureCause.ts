// Original file: proto/keyturn/v1/imported_key.proto

export const DepartureCause = {
  DEPARTURE_CAUSE_UNSPECIFIED: 'DEPARTURE_CAUSE_UNSPECIFIED',
  DEPARTURE_CAUSE_REMOVED: 'DEPARTURE_CAUSE_REMOVED',
  DEPARTURE_CAUSE_COMPROMISED: 'DEPARTURE_CAUSE_COMPROMISED',
  DEPARTURE_CAUSE_EXPIRED: 'DEPARTURE_CAUSE_EXPIRED',
} as const;

export type DepartureCause =
  | 'DEPARTURE_CAUSE_UNSPECIFIED'
  | 0
  | 'DEPARTURE_CAUSE_REMOVED'
  | 1
  | 'DEPARTURE_CAUSE_COMPROMISED'
  | 2
  | 'DEPARTURE_CAUSE_EXPIRED'
  | 3

export type DepartureCause__Output = typeof DepartureCause[keyof typeof DepartureCause]
