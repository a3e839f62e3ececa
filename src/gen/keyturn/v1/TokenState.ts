// Original file: proto/keyturn/v1/token_service.proto

export const TokenState = {
  TOKEN_STATE_UNSPECIFIED: 'TOKEN_STATE_UNSPECIFIED',
  TOKEN_STATE_STARTING: 'TOKEN_STATE_STARTING',
  TOKEN_STATE_READY: 'TOKEN_STATE_READY',
  TOKEN_STATE_UNAVAILABLE: 'TOKEN_STATE_UNAVAILABLE',
} as const;

export type TokenState =
  | 'TOKEN_STATE_UNSPECIFIED'
  | 0
  | 'TOKEN_STATE_STARTING'
  | 1
  | 'TOKEN_STATE_READY'
  | 2
  | 'TOKEN_STATE_UNAVAILABLE'
  | 3

export type TokenState__Output = typeof TokenState[keyof typeof TokenState]
