/**
 * What each return value of PKCS#11 (CK_RV) means to the daemon: one pure table over all codes of PKCS#11 2.40 and 3.0
 * to 3.2 (pkcs11t.h). By number, because the binding names every code that it doesn't know CKR_VENDOR_DEFINED. What is
 * done about a class, and what follows when that doesn't help, is the ladder's business (ladder.ts).
 * docs/reference/ckr.md shows the table; a test compares.
 */
export type FaultClass =
  /** The request itself can't be done (PKCS#11 would say: the caller's fault). It fails, and nothing else changes. */
  | 'requestFault'
  /** Passing: the same again, later. */
  | 'retry'
  /** The session is spent; and where the code says too little, a trial signature decides whether more is wrong. */
  | 'evictSession'
  /** The object handle is stale: found again by CKA_ID and class, exactly one. */
  | 'findHandle'
  /** The login is gone. */
  | 'login'
  /** The module has lost its token. */
  | 'reinitialise'
  /** The process can't go on. */
  | 'restartWorker'
  /** Only a person can help: the request fails and an alarm is raised; at C_Login, nobody logs in again by himself. */
  | 'operator';

/** Stands for a failure of the binding that carries no CK_RV (some calls throw a plain Error), or a CK_RV beyond 32 bits. */
export const CKR_UNKNOWN = 0xffff_ffff;

interface FaultRow {
  readonly ckr: number;
  readonly name: string;
  readonly faultClass: FaultClass;
  readonly why: string;
}

/** `code name why`, by class: a code stands once, and its neighbours show what else is treated alike. */
const ROWS: Readonly<Record<FaultClass, string>> = {
  requestFault: `
    0x007 CKR_ARGUMENTS_BAD what was asked makes no sense to the module
    0x008 CKR_NO_EVENT an answer to C_WaitForSlotEvent, which is never called
    0x010 CKR_ATTRIBUTE_READ_ONLY a template that the token refuses
    0x011 CKR_ATTRIBUTE_SENSITIVE an attribute that the token keeps to itself
    0x012 CKR_ATTRIBUTE_TYPE_INVALID a template that the token refuses
    0x013 CKR_ATTRIBUTE_VALUE_INVALID a template that the token refuses
    0x01b CKR_ACTION_PROHIBITED the object's own attributes forbid it
    0x020 CKR_DATA_INVALID this input can't be signed
    0x021 CKR_DATA_LEN_RANGE this input can't be signed
    0x040 CKR_ENCRYPTED_DATA_INVALID about decryption, which is never asked for
    0x041 CKR_ENCRYPTED_DATA_LEN_RANGE about decryption, which is never asked for
    0x042 CKR_AEAD_DECRYPT_FAILED about decryption, which is never asked for
    0x051 CKR_FUNCTION_NOT_PARALLEL an answer to calls of PKCS#11 1.0
    0x054 CKR_FUNCTION_NOT_SUPPORTED the module doesn't have the function
    0x062 CKR_KEY_SIZE_RANGE the token doesn't take keys of this size
    0x063 CKR_KEY_TYPE_INCONSISTENT the key is not of the mechanism's type
    0x064 CKR_KEY_NOT_NEEDED about digests and derivation, which are never asked for
    0x066 CKR_KEY_NEEDED about digests and derivation, which are never asked for
    0x067 CKR_KEY_INDIGESTIBLE about digests and derivation, which are never asked for
    0x068 CKR_KEY_FUNCTION_NOT_PERMITTED the key's own attributes forbid it
    0x069 CKR_KEY_NOT_WRAPPABLE about wrapping, which is never asked for
    0x06a CKR_KEY_UNEXTRACTABLE about wrapping, which is never asked for
    0x070 CKR_MECHANISM_INVALID the token doesn't have the algorithm
    0x071 CKR_MECHANISM_PARAM_INVALID the token doesn't take the algorithm's parameters
    0x0b4 CKR_SESSION_PARALLEL_NOT_SUPPORTED a session without CKF_SERIAL_SESSION, which is never opened
    0x0b5 CKR_SESSION_READ_ONLY the session may not change objects
    0x0b6 CKR_SESSION_EXISTS about C_InitToken, which is never called
    0x0b7 CKR_SESSION_READ_ONLY_EXISTS about a login as security officer, which is never tried
    0x0c0 CKR_SIGNATURE_INVALID about verification in the token, which is never asked for
    0x0c1 CKR_SIGNATURE_LEN_RANGE about verification in the token, which is never asked for
    0x0d0 CKR_TEMPLATE_INCOMPLETE a template that the token refuses
    0x0d1 CKR_TEMPLATE_INCONSISTENT a template that the token refuses
    0x0f0 CKR_UNWRAPPING_KEY_HANDLE_INVALID about unwrapping, which is never asked for
    0x0f1 CKR_UNWRAPPING_KEY_SIZE_RANGE about unwrapping, which is never asked for
    0x0f2 CKR_UNWRAPPING_KEY_TYPE_INCONSISTENT about unwrapping, which is never asked for
    0x110 CKR_WRAPPED_KEY_INVALID about wrapping, which is never asked for
    0x112 CKR_WRAPPED_KEY_LEN_RANGE about wrapping, which is never asked for
    0x113 CKR_WRAPPING_KEY_HANDLE_INVALID about wrapping, which is never asked for
    0x114 CKR_WRAPPING_KEY_SIZE_RANGE about wrapping, which is never asked for
    0x115 CKR_WRAPPING_KEY_TYPE_INCONSISTENT about wrapping, which is never asked for
    0x120 CKR_RANDOM_SEED_NOT_SUPPORTED about C_SeedRandom, which is never called
    0x130 CKR_DOMAIN_PARAMS_INVALID the token doesn't take the curve
    0x140 CKR_CURVE_NOT_SUPPORTED the token doesn't take the curve
    0x150 CKR_BUFFER_TOO_SMALL a signature longer than any of ours
    0x160 CKR_SAVED_STATE_INVALID about saved operations, which are never asked for
    0x170 CKR_INFORMATION_SENSITIVE something that the token keeps to itself
    0x180 CKR_STATE_UNSAVEABLE about saved operations, which are never asked for
    0x1b5 CKR_EXCEEDED_MAX_ITERATIONS domain parameters that were not found, which are never asked for
    0x1b9 CKR_PUBLIC_KEY_INVALID the token refuses the public key
    0x200 CKR_FUNCTION_REJECTED a person or a policy of the token said no
    0x203 CKR_KEY_EXHAUSTED the key has made all its signatures; another key can go on
    0x205 CKR_SESSION_ASYNC_NOT_SUPPORTED about asynchronous sessions, which are never opened
    0x207 CKR_OPERATION_NOT_VALIDATED a policy of the token allows validated operations only
    0x209 CKR_PARAMETER_SET_NOT_SUPPORTED the token doesn't have the algorithm's parameter set`,
  retry: `
    0x001 CKR_CANCEL the call was given up, and nothing is wrong
    0x031 CKR_DEVICE_MEMORY the token is short of memory for the moment
    0x050 CKR_FUNCTION_CANCELED the call was given up, and nothing is wrong
    0x0b1 CKR_SESSION_COUNT the token has no session left for the moment
    0x100 CKR_USER_ALREADY_LOGGED_IN at C_Login a success, though it proves nothing about the PIN
    0x191 CKR_CRYPTOKI_ALREADY_INITIALIZED at C_Initialize a success
    0x201 CKR_TOKEN_RESOURCE_EXCEEDED the token is busy for the moment`,
  evictSession: `
    0x005 CKR_GENERAL_ERROR says nothing: the trial signature decides
    0x006 CKR_FUNCTION_FAILED says nothing: the trial signature decides
    0x065 CKR_KEY_CHANGED about a saved operation: the session's state is unknown
    0x090 CKR_OPERATION_ACTIVE an earlier operation is stuck in the session
    0x091 CKR_OPERATION_NOT_INITIALIZED the session lost the operation that was begun
    0x0b0 CKR_SESSION_CLOSED the token closed the session
    0x0b3 CKR_SESSION_HANDLE_INVALID the token forgot the session, and perhaps more: the trial signature decides
    0x202 CKR_OPERATION_CANCEL_FAILED an earlier operation is stuck in the session
    0x204 CKR_PENDING an operation that goes on by itself, which was never asked for`,
  findHandle: `
    0x060 CKR_KEY_HANDLE_INVALID the handle is stale, or the key is gone
    0x082 CKR_OBJECT_HANDLE_INVALID the handle is stale, or the object is gone`,
  login: `
    0x101 CKR_USER_NOT_LOGGED_IN the token ended the login`,
  reinitialise: `
    0x003 CKR_SLOT_ID_INVALID slots moved: the token is chosen anew by its label or serial
    0x030 CKR_DEVICE_ERROR the way to the token is broken
    0x032 CKR_DEVICE_REMOVED the token is gone, and may come back
    0x0b8 CKR_SESSION_READ_WRITE_SO_EXISTS somebody is logged in as security officer in our process, which never does
    0x0e0 CKR_TOKEN_NOT_PRESENT the token is gone, and may come back
    0x0e1 CKR_TOKEN_NOT_RECOGNIZED the token is gone, or something else is in its place
    0x102 CKR_USER_PIN_NOT_INITIALIZED the token has no user PIN yet, so none was refused: somebody is setting it up
    0x104 CKR_USER_ANOTHER_ALREADY_LOGGED_IN another user is logged in in our process, which never does
    0x190 CKR_CRYPTOKI_NOT_INITIALIZED the module forgot that it was initialised
    0x1b6 CKR_FIPS_SELF_TEST_FAILED the module refuses everything until it is initialised and tested again`,
  restartWorker: `
    0x002 CKR_HOST_MEMORY the worker process is out of memory
    0x1a0 CKR_MUTEX_BAD the module's locks are broken
    0x1a1 CKR_MUTEX_NOT_LOCKED the module's locks are broken
    0x1b7 CKR_LIBRARY_LOAD_FAILED the module could not load a library of its own`,
  operator: `
    0x009 CKR_NEED_TO_CREATE_THREADS the module can't work in this process
    0x00a CKR_CANT_LOCK the module can't work with several threads
    0x0a0 CKR_PIN_INCORRECT the PIN is wrong: tried once, never again by itself
    0x0a1 CKR_PIN_INVALID the PIN can't be one of this token's
    0x0a2 CKR_PIN_LEN_RANGE the PIN can't be one of this token's
    0x0a3 CKR_PIN_EXPIRED the PIN must be changed first
    0x0a4 CKR_PIN_LOCKED the PIN is locked; the SO PIN unlocks it
    0x0e2 CKR_TOKEN_WRITE_PROTECTED keys can't be made or destroyed; signing goes on
    0x103 CKR_USER_TYPE_INVALID the token knows no normal user
    0x105 CKR_USER_TOO_MANY_TYPES others hold all the logins that the token has
    0x121 CKR_RANDOM_NO_RNG the token has no random numbers, and makes no keys
    0x1b0 CKR_NEW_PIN_MODE the PIN must be changed first
    0x1b1 CKR_NEXT_OTP the token wants a one-time password
    0x1b8 CKR_PIN_TOO_WEAK the PIN must be changed first
    0x206 CKR_SEED_RANDOM_REQUIRED the token wants random numbers from outside first
    0x208 CKR_TOKEN_NOT_INITIALIZED the token was never set up, or was wiped`,
};

/** Every code of the standard, in its order. */
export const FAULT_ROWS: readonly FaultRow[] = toRows(ROWS);

const BY_CKR = new Map(FAULT_ROWS.map((row) => [row.ckr, row]));

/** What a code means that isn't the standard's: the same as CKR_GENERAL_ERROR, whose remedy can't make things worse. */
export const DEFAULT_CLASS: FaultClass = 'evictSession';

export function classifyFault(ckr: number): FaultClass {
  return BY_CKR.get(ckr)?.faultClass ?? DEFAULT_CLASS;
}

/** `CKR_PIN_LOCKED (0xa4)`; for a code outside the table only its number. */
export function nameFault(ckr: number): string {
  if (ckr === CKR_UNKNOWN) return 'an error without a return value';
  const digits = `0x${ckr.toString(16)}`;
  const name = BY_CKR.get(ckr)?.name;
  return name === undefined ? digits : `${name} (${digits})`;
}

function toRows(byClass: Readonly<Record<FaultClass, string>>): readonly FaultRow[] {
  const rows = (Object.entries(byClass) as [FaultClass, string][]).flatMap(([faultClass, text]) =>
    [...text.matchAll(/(0x[0-9a-f]{3}) (CKR_\w+) (.+)/g)].map(([, code = '', name = '', why = '']) => ({
      ckr: Number(code),
      name,
      faultClass,
      why,
    })),
  );
  return rows.toSorted((one, other) => one.ckr - other.ckr);
}
