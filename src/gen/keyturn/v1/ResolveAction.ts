// Original file: proto/keyturn/v1/token_service.proto

export const ResolveAction = {
  RESOLVE_ACTION_UNSPECIFIED: 'RESOLVE_ACTION_UNSPECIFIED',
  RESOLVE_ACTION_DESTROY: 'RESOLVE_ACTION_DESTROY',
  RESOLVE_ACTION_IGNORE: 'RESOLVE_ACTION_IGNORE',
} as const;

export type ResolveAction =
  | 'RESOLVE_ACTION_UNSPECIFIED'
  | 0
  | 'RESOLVE_ACTION_DESTROY'
  | 1
  | 'RESOLVE_ACTION_IGNORE'
  | 2

export type ResolveAction__Output = typeof ResolveAction[keyof typeof ResolveAction]
