/**
 * Opens the module and the token: the worker's main thread does it, while no other thread uses either. Every failure is
 * told as a reason that the daemon can act on, with the call that failed. The session that is logged in stays open until
 * the token is opened anew, because a login ends with the last session.
 */
import graphene from 'graphene-pk11';
import type { Reason } from '../../base/reasons.ts';
import type { Secret } from '../../base/secret.ts';
import { classifyFault, nameFault } from '../faults.ts';
import { judgeLogin } from '../ladder.ts';
import type { TokenIdentity, WorkerOrder } from '../wire.ts';
import { initializeOptions } from './initialize-options.ts';
import { type NativeFault, toNativeFault } from './native-fault.ts';
import { unpad } from './unpad.ts';

type StartOrder = Extract<WorkerOrder, { kind: 'start' }>;

export class TokenOpenError extends Error {
  override readonly name = 'TokenOpenError';
  readonly reason: Reason;
  /** The call that failed, where one did. */
  readonly fault: NativeFault | undefined;

  constructor(reason: Reason, message: string, fault?: NativeFault) {
    super(message);
    this.reason = reason;
    this.fault = fault;
  }
}

export type Module = graphene.Module;

/** Keeps the login: it ends with the last session. */
export type LoggedIn = Pick<graphene.Session, 'close'>;

export interface OpenedToken {
  readonly slot: graphene.Slot;
  readonly identity: TokenIdentity;
  readonly mechanisms: readonly number[];
}

const CKR_USER_ALREADY_LOGGED_IN = 0x100;

export function loadModule(moduleFile: string): Module {
  try {
    return graphene.Module.load(moduleFile);
  } catch (error) {
    const detail = error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
    throw new TokenOpenError('MODULE_NOT_LOADABLE', `${moduleFile} can't be loaded as a PKCS#11 module: ${detail}`);
  }
}

/** `again`: whatever the module knew is dropped first. No thread may be inside it, and no handle survives. */
export function initialise(module: Module, parameters: string | undefined, again?: 'again'): void {
  if (again !== undefined) {
    try {
      module.finalize();
    } catch {
      // A module that lost its token often can't even end; what follows shows whether it can begin.
    }
  }
  try {
    module.initialize(initializeOptions(parameters));
  } catch (error) {
    const fault = toNativeFault(error);
    const isForGood = ['operator', 'requestFault'].includes(classifyFault(fault.ckr));
    throw new TokenOpenError(
      isForGood ? 'MODULE_NOT_LOADABLE' : 'TOKEN_UNAVAILABLE',
      `${fault.functionName} of the module failed with ${nameFault(fault.ckr)}`,
      fault,
    );
  }
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
    slot,
    flags: token.flags,
    identity: {
      label,
      serial,
      manufacturer: unpad(token.manufacturerID),
      model: unpad(token.model),
      firmwareVersion: `${major}.${minor}`,
      ...toMaxSessions(token.maxSessionCount),
    },
    mechanisms: listMechanisms(slot),
  };
}

/** CK_EFFECTIVELY_INFINITE is 0, CK_UNAVAILABLE_INFORMATION all ones, in 32 or 64 bits: both tell no limit. */
function toMaxSessions(count: number): Pick<TokenIdentity, 'maxSessions'> {
  return count > 0 && count < 0xffff_ffff ? { maxSessions: count } : {};
}

/** Logs in as user, once. The PIN lives in a string because the binding takes no other form. */
export function logIn(
  token: { readonly slot: graphene.Slot; readonly flags: number },
  pin: Secret,
  mayUseFinalTry: boolean,
): LoggedIn {
  const { USER_PIN_FINAL_TRY, USER_PIN_LOCKED } = graphene.TokenFlag;
  if ((token.flags & USER_PIN_LOCKED) !== 0)
    throw new TokenOpenError('PIN_LOCKED', 'the token says that its user PIN is locked; unlock it with the SO PIN');
  if ((token.flags & USER_PIN_FINAL_TRY) !== 0 && !mayUseFinalTry) {
    throw new TokenOpenError(
      'PIN_LOCKED',
      'the token allows one last attempt at its user PIN; check the PIN file, then run keyturn token retry-login',
    );
  }
  if (pin.isEmpty)
    throw new TokenOpenError('SECRET_FILE_UNREADABLE', 'the PIN file is empty; write the user PIN into it');
  let session: graphene.Session;
  try {
    session = token.slot.open(graphene.SessionFlag.SERIAL_SESSION | graphene.SessionFlag.RW_SESSION);
  } catch (error) {
    throw unavailable('no session could be opened', error);
  }
  try {
    session.login(pin.reveal().toString('utf8'), graphene.UserType.USER);
  } catch (error) {
    const fault = toNativeFault(error);
    if (fault.ckr !== CKR_USER_ALREADY_LOGGED_IN) {
      closeQuietly(session);
      throw loginError(fault);
    }
  }
  return session;
}

/** A session of a lost token can't be closed, and is given up either way. */
export function closeQuietly(session: LoggedIn | undefined): void {
  try {
    session?.close();
  } catch {
    // See above.
  }
}

function loginError(fault: NativeFault): TokenOpenError {
  const problem = `C_Login failed with ${nameFault(fault.ckr)}`;
  switch (judgeLogin(fault.ckr)) {
    case 'locked':
      return new TokenOpenError('PIN_LOCKED', 'the token has locked its user PIN; unlock it with the SO PIN', fault);
    case 'refused':
      return new TokenOpenError(
        'PIN_INCORRECT',
        `the token refused the PIN: ${problem}; correct the PIN file, then run keyturn token retry-login`,
        fault,
      );
    case 'doubtful':
      return new TokenOpenError('TOKEN_UNAVAILABLE', `${problem}, which may mean a wrong PIN`, fault);
    case 'passing':
      return new TokenOpenError('TOKEN_UNAVAILABLE', problem, fault);
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
    throw unavailable("the module's tokens can't be listed", error);
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

function unavailable(what: string, error: unknown): TokenOpenError {
  const fault = toNativeFault(error);
  return new TokenOpenError(
    'TOKEN_UNAVAILABLE',
    `${what}: ${fault.functionName} failed with ${nameFault(fault.ckr)}`,
    fault,
  );
}
