/**
 * Opens the module and the token: the worker's main thread does it once, before any other thread exists. Every failure
 * is told as a reason that the daemon can act on. The session that is logged in stays open as long as the process
 * lives, because a login ends with the last session.
 */
import graphene from 'graphene-pk11';
import type { Reason } from '../../base/reasons.ts';
import { nameFault } from '../faults.ts';
import type { TokenIdentity, WorkerOrder } from '../wire.ts';
import { toNativeFault } from './native-fault.ts';

type StartOrder = Extract<WorkerOrder, { kind: 'start' }>;

export class TokenOpenError extends Error {
  override readonly name = 'TokenOpenError';
  readonly reason: Reason;

  constructor(reason: Reason, message: string) {
    super(message);
    this.reason = reason;
  }
}

export interface OpenedToken {
  readonly module: graphene.Module;
  readonly slot: graphene.Slot;
  readonly identity: TokenIdentity;
  readonly mechanisms: readonly number[];
}

/** CKF_OS_LOCKING_OK: without it, two threads in SoftHSM2 end in a segmentation fault. */
const CKF_OS_LOCKING_OK = 2;
const CKR_USER_ALREADY_LOGGED_IN = 0x100;
const CKR_PIN_INCORRECT = 0xa0;
const CKR_PIN_INVALID = 0xa1;
const CKR_PIN_LEN_RANGE = 0xa2;
const CKR_PIN_LOCKED = 0xa4;

export function openModule(moduleFile: string, parameters: string | undefined): graphene.Module {
  let module: graphene.Module;
  try {
    module = graphene.Module.load(moduleFile);
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new TokenOpenError('MODULE_NOT_LOADABLE', `${moduleFile} can't be loaded as a PKCS#11 module: ${detail}`);
  }
  try {
    // The binding drops the last character of the parameters, and takes no undefined for absent.
    module.initialize({
      flags: CKF_OS_LOCKING_OK,
      ...(parameters === undefined ? {} : { libraryParameters: `${parameters} ` }),
    });
  } catch (error) {
    throw new TokenOpenError('MODULE_NOT_LOADABLE', `C_Initialize of ${moduleFile} failed with ${describe(error)}`);
  }
  return module;
}

interface Candidate {
  readonly slot: graphene.Slot;
  readonly token: graphene.Token;
  readonly label: string;
  readonly serial: string;
}

/** By label or serial, never by slot number: slot numbers move. */
export function selectToken(
  module: graphene.Module,
  selector: StartOrder['selector'],
): OpenedToken & { readonly flags: number } {
  const candidates = listTokens(module);
  const wanted = 'label' in selector ? `label "${selector.label}"` : `serial "${selector.serial}"`;
  const matches = candidates.filter(({ label, serial }) =>
    'label' in selector ? label === selector.label : serial === selector.serial,
  );
  const [match] = matches;
  if (match === undefined)
    throw new TokenOpenError('TOKEN_NOT_FOUND', `no token has the ${wanted}; there ${listing(candidates)}`);
  if (matches.length > 1) {
    throw new TokenOpenError(
      'TOKEN_AMBIGUOUS',
      `${matches.length} tokens have the ${wanted}; choose by serial: there ${listing(matches)}`,
    );
  }
  const { slot, token, label, serial } = match;
  const { major, minor } = token.firmwareVersion;
  return {
    module,
    slot,
    flags: token.flags,
    identity: {
      label,
      serial,
      manufacturer: unpad(token.manufacturerID),
      model: unpad(token.model),
      firmwareVersion: `${major}.${minor}`,
    },
    mechanisms: listMechanisms(slot),
  };
}

/** Logs in as user, once. The PIN lives in a string because the binding takes no other form. */
export function logIn(
  token: { readonly slot: graphene.Slot; readonly flags: number },
  pin: Buffer,
  mayUseFinalTry: boolean,
): void {
  const { USER_PIN_FINAL_TRY, USER_PIN_LOCKED } = graphene.TokenFlag;
  if ((token.flags & USER_PIN_LOCKED) !== 0)
    throw new TokenOpenError('PIN_LOCKED', 'the token says that its user PIN is locked; unlock it with the SO PIN');
  if ((token.flags & USER_PIN_FINAL_TRY) !== 0 && !mayUseFinalTry) {
    throw new TokenOpenError(
      'PIN_LOCKED',
      'the token allows one last attempt at its user PIN; check the PIN file, then run keyturn token retry-login',
    );
  }
  if (pin.length === 0)
    throw new TokenOpenError('SECRET_FILE_UNREADABLE', 'the PIN file is empty; write the user PIN into it');
  let session: graphene.Session;
  try {
    session = token.slot.open(graphene.SessionFlag.SERIAL_SESSION | graphene.SessionFlag.RW_SESSION);
  } catch (error) {
    throw new TokenOpenError('TOKEN_UNAVAILABLE', `no session could be opened: ${describe(error)}`);
  }
  try {
    session.login(pin.toString('utf8'), graphene.UserType.USER);
  } catch (error) {
    const { ckr } = toNativeFault(error);
    if (ckr === CKR_USER_ALREADY_LOGGED_IN) return;
    if (ckr === CKR_PIN_LOCKED)
      throw new TokenOpenError('PIN_LOCKED', 'the token has locked its user PIN; unlock it with the SO PIN');
    if (ckr === CKR_PIN_INCORRECT || ckr === CKR_PIN_INVALID || ckr === CKR_PIN_LEN_RANGE) {
      throw new TokenOpenError(
        'PIN_INCORRECT',
        `the token refused the PIN with ${nameFault(ckr)}; correct the PIN file, then run keyturn token retry-login`,
      );
    }
    throw new TokenOpenError('TOKEN_UNAVAILABLE', `C_Login failed with ${nameFault(ckr)}`);
  }
}

function listTokens(module: graphene.Module): readonly Candidate[] {
  const candidates: Candidate[] = [];
  try {
    const slots = module.getSlots(true);
    for (let index = 0; index < slots.length; index += 1) {
      const slot = slots.items(index);
      const token = slot.getToken();
      // SoftHSM2 and TPM2 always show one more slot with a token that isn't initialised.
      if ((token.flags & graphene.TokenFlag.TOKEN_INITIALIZED) === 0) continue;
      candidates.push({ slot, token, label: unpad(token.label), serial: unpad(token.serialNumber) });
    }
  } catch (error) {
    throw new TokenOpenError('TOKEN_UNAVAILABLE', `the module's tokens can't be listed: ${describe(error)}`);
  }
  return candidates;
}

function listMechanisms(slot: graphene.Slot): readonly number[] {
  const mechanisms = slot.getMechanisms();
  const numbers: number[] = [];
  for (let index = 0; index < mechanisms.length; index += 1) numbers.push(mechanisms.items(index).type);
  return numbers;
}

function listing(candidates: readonly Candidate[]): string {
  if (candidates.length === 0) return 'is no initialised token at all';
  return `are: ${candidates.map(({ label, serial }) => `"${label}" (serial "${serial}")`).join(', ')}`;
}

/** Labels and serials are padded with blanks by the standard, and with NULs by some tokens. */
function unpad(text: string): string {
  let end = text.length;
  while (end > 0 && (text[end - 1] === ' ' || text[end - 1] === '\0')) end -= 1;
  return text.slice(0, end);
}

function describe(error: unknown): string {
  return nameFault(toNativeFault(error).ckr);
}
