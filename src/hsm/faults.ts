/**
 * What the daemon does about each return value of PKCS#11 (CK_RV). One pure table; by number, because the binding names
 * every code that it doesn't know CKR_VENDOR_DEFINED. An unknown code is taken for a broken module: a new process is the
 * one remedy that never makes things worse.
 */
export type FaultClass =
  /** The request itself can't be done: it fails, everything else goes on. */
  | 'requestFault'
  /** Passing: the same again. */
  | 'retry'
  /** This session is spent; another one may do. */
  | 'evictSession'
  /** The login is gone. */
  | 'login'
  /** The object handle is stale: find it again by CKA_ID. */
  | 'findHandle'
  /** The module has lost its token. */
  | 'reinitialise'
  /** The module can't be trusted any more. */
  | 'restartWorker'
  /** Only a person can help. */
  | 'operator';

/** Stands for a failure of the binding that carries no CK_RV (some calls throw a plain Error). */
export const CKR_UNKNOWN = 0xffff_ffff;

type Row = readonly [name: string, faultClass: FaultClass];

const TABLE = new Map<number, Row>([
  [0x001, ['CKR_CANCEL', 'retry']],
  [0x002, ['CKR_HOST_MEMORY', 'restartWorker']],
  [0x003, ['CKR_SLOT_ID_INVALID', 'restartWorker']],
  [0x005, ['CKR_GENERAL_ERROR', 'restartWorker']],
  [0x006, ['CKR_FUNCTION_FAILED', 'restartWorker']],
  [0x007, ['CKR_ARGUMENTS_BAD', 'requestFault']],
  [0x010, ['CKR_ATTRIBUTE_READ_ONLY', 'requestFault']],
  [0x011, ['CKR_ATTRIBUTE_SENSITIVE', 'requestFault']],
  [0x012, ['CKR_ATTRIBUTE_TYPE_INVALID', 'requestFault']],
  [0x013, ['CKR_ATTRIBUTE_VALUE_INVALID', 'requestFault']],
  [0x01b, ['CKR_ACTION_PROHIBITED', 'requestFault']],
  [0x020, ['CKR_DATA_INVALID', 'requestFault']],
  [0x021, ['CKR_DATA_LEN_RANGE', 'requestFault']],
  [0x030, ['CKR_DEVICE_ERROR', 'reinitialise']],
  [0x031, ['CKR_DEVICE_MEMORY', 'retry']],
  [0x032, ['CKR_DEVICE_REMOVED', 'reinitialise']],
  [0x050, ['CKR_FUNCTION_CANCELED', 'retry']],
  [0x054, ['CKR_FUNCTION_NOT_SUPPORTED', 'requestFault']],
  [0x060, ['CKR_KEY_HANDLE_INVALID', 'findHandle']],
  [0x062, ['CKR_KEY_SIZE_RANGE', 'requestFault']],
  [0x063, ['CKR_KEY_TYPE_INCONSISTENT', 'requestFault']],
  [0x068, ['CKR_KEY_FUNCTION_NOT_PERMITTED', 'requestFault']],
  [0x070, ['CKR_MECHANISM_INVALID', 'requestFault']],
  [0x071, ['CKR_MECHANISM_PARAM_INVALID', 'requestFault']],
  [0x082, ['CKR_OBJECT_HANDLE_INVALID', 'findHandle']],
  [0x090, ['CKR_OPERATION_ACTIVE', 'evictSession']],
  [0x091, ['CKR_OPERATION_NOT_INITIALIZED', 'evictSession']],
  [0x0a0, ['CKR_PIN_INCORRECT', 'operator']],
  [0x0a1, ['CKR_PIN_INVALID', 'operator']],
  [0x0a2, ['CKR_PIN_LEN_RANGE', 'operator']],
  [0x0a3, ['CKR_PIN_EXPIRED', 'operator']],
  [0x0a4, ['CKR_PIN_LOCKED', 'operator']],
  [0x0b0, ['CKR_SESSION_CLOSED', 'evictSession']],
  [0x0b1, ['CKR_SESSION_COUNT', 'retry']],
  [0x0b3, ['CKR_SESSION_HANDLE_INVALID', 'restartWorker']],
  [0x0b5, ['CKR_SESSION_READ_ONLY', 'requestFault']],
  [0x0d0, ['CKR_TEMPLATE_INCOMPLETE', 'requestFault']],
  [0x0d1, ['CKR_TEMPLATE_INCONSISTENT', 'requestFault']],
  [0x0e0, ['CKR_TOKEN_NOT_PRESENT', 'reinitialise']],
  [0x0e1, ['CKR_TOKEN_NOT_RECOGNIZED', 'reinitialise']],
  [0x0e2, ['CKR_TOKEN_WRITE_PROTECTED', 'operator']],
  [0x100, ['CKR_USER_ALREADY_LOGGED_IN', 'retry']],
  [0x101, ['CKR_USER_NOT_LOGGED_IN', 'login']],
  [0x102, ['CKR_USER_PIN_NOT_INITIALIZED', 'operator']],
  [0x130, ['CKR_DOMAIN_PARAMS_INVALID', 'requestFault']],
  [0x150, ['CKR_BUFFER_TOO_SMALL', 'requestFault']],
  [0x190, ['CKR_CRYPTOKI_NOT_INITIALIZED', 'reinitialise']],
  [0x200, ['CKR_FUNCTION_REJECTED', 'requestFault']],
]);

export function classifyFault(ckr: number): FaultClass {
  return TABLE.get(ckr)?.[1] ?? 'restartWorker';
}

/** `CKR_PIN_LOCKED (0xa4)`; for a code outside the table only its number. */
export function nameFault(ckr: number): string {
  if (ckr === CKR_UNKNOWN) return 'an error without a return value';
  const digits = `0x${ckr.toString(16)}`;
  const name = TABLE.get(ckr)?.[0];
  return name === undefined ? digits : `${name} (${digits})`;
}
