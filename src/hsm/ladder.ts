/**
 * The fault ladder: what is done about a fault, and what follows when that doesn't help. Pure: it knows codes, counts
 * and delays; who acts is repairs.ts (workers) and dispatcher.ts (requests).
 *
 * Each class of fault has a rung to begin with. Where the code says for sure what is lost, the rung is taken at once;
 * where it doesn't, a trial signature on the same worker decides, so that a request that can't be signed never costs
 * anybody a session's worth of trust. A worker climbs as long as rungs don't help, and stands on the ground again once it
 * has made a signature that verified.
 */
import { classifyFault, type FaultClass } from './faults.ts';
import type { Rung } from './hsm.ts';

/** From the least to the most that is done. */
export const RUNGS = [
  'retry',
  'evictSession',
  'findHandle',
  'login',
  'reinitialise',
  'restartWorker',
  'operator',
] as const satisfies readonly Rung[];

/** No rung taken yet. */
export function countRungs(): Record<Rung, number> {
  return { retry: 0, evictSession: 0, findHandle: 0, login: 0, reinitialise: 0, restartWorker: 0, operator: 0 };
}

/** What is done to a whole worker. */
export type WorkerRung = Extract<Rung, 'login' | 'reinitialise' | 'restartWorker'>;

/** Where a worker stands: the rung that it took last without having signed since, and how often in a row. */
export interface Footing {
  readonly rung: WorkerRung | undefined;
  readonly tries: number;
}

export const GROUND: Footing = { rung: undefined, tries: 0 };

export type Step =
  /** The fault is the request's or the session's alone. */
  | { readonly kind: 'none' }
  /** A trial signature on the same worker says whether more is wrong. */
  | { readonly kind: 'trial' }
  | { readonly kind: 'climb'; readonly footing: Footing; readonly rung: WorkerRung; readonly delayMs: number };

/** So often in a row before the next rung: a login that didn't help once won't; a token may be away for a while. */
const BUDGETS: Readonly<Record<WorkerRung, number>> = {
  login: 1,
  reinitialise: 60,
  restartWorker: Number.POSITIVE_INFINITY,
};
const NEXT: Readonly<Record<WorkerRung, WorkerRung>> = {
  login: 'reinitialise',
  reinitialise: 'restartWorker',
  restartWorker: 'restartWorker',
};

/** Delay before the second re-initialisation in a row; it doubles up to the limit, which bounds how late a return is seen. */
const FIRST_DELAY_MS = 50;
const MAX_DELAY_MS = 250;

/** So many workers may die young, one after the other, before a new one has to wait. */
const FREE_RESTARTS = 3;
const RESTART_DELAY_MS = 1_000;
/** So many deaths bound the outage of a crashing module to its own end; after that the machine is spared. */
const SHORT_RESTARTS = 33;
const MAX_RESTART_DELAY_MS = 30_000;
/** A worker that lived longer didn't die young. */
const SETTLED_MS = 10_000;
/** For each of so many milliseconds of use one young death is forgiven: it is the storm that must be slowed down. */
const FORGIVEN_AFTER_MS = 1_000;

/** How many workers have died young in a row, when one has ended that had been ready for so long. */
export function youngDeathsAfter(before: number, livedMs: number): number {
  return livedMs < SETTLED_MS ? Math.max(0, before + 1 - Math.floor(livedMs / FORGIVEN_AFTER_MS)) : 0;
}

/** Before a worker is replaced whose predecessors died young so many times in a row, itself included. */
export function restartDelayMs(youngDeaths: number): number {
  if (youngDeaths <= FREE_RESTARTS) return 0;
  return Math.min(MAX_RESTART_DELAY_MS, RESTART_DELAY_MS * 2 ** Math.max(0, youngDeaths - SHORT_RESTARTS));
}

const FIRST_RETRY_DELAY_MS = 10;
const MAX_RETRY_DELAY_MS = 250;

/** Before a request that met its n-th passing fault is tried again; its deadline bounds how often. */
export function retryDelayMs(passingFaults: number): number {
  return Math.min(MAX_RETRY_DELAY_MS, FIRST_RETRY_DELAY_MS * 2 ** (passingFaults - 1));
}

export interface MetFault {
  readonly ckr: number;
  readonly isSessionUsable: boolean;
  /** Of a request that the token has granted before: then not even a request's fault is believed to be one. */
  readonly isOfCanary: boolean;
}

/** What a fault of an operation means for the worker that met it. */
export function stepAfterFault(footing: Footing, { ckr, isSessionUsable, isOfCanary }: MetFault): Step {
  const rung = firstWorkerRung(classifyFault(ckr));
  if (rung !== undefined) return climb(footing, rung);
  if (!isSessionUsable) return climb(footing, 'reinitialise');
  return isDoubtful(classifyFault(ckr), isOfCanary) ? { kind: 'trial' } : { kind: 'none' };
}

/** Whether a session's handles still mean what they did after a fault of this code: the token spoke of the request alone. */
export function keepsHandles(ckr: number): boolean {
  const faultClass = classifyFault(ckr);
  return faultClass === 'requestFault' || faultClass === 'retry';
}

/** A key that signed before isn't found: a token that lost its login hides private keys and says nothing. */
export function stepAfterMissingKey(footing: Footing): Step {
  return climb(footing, 'login');
}

/** The trial signature failed, with a code or without one (no answer, or a signature that doesn't verify). */
export function stepAfterFailedTrial(footing: Footing, ckr: number | undefined): Step {
  return climb(footing, (ckr === undefined ? undefined : firstWorkerRung(classifyFault(ckr))) ?? 'reinitialise');
}

/** The token could not be opened again. */
export function stepAfterFailedRepair(footing: Footing, ckr: number | undefined): Step {
  const isProcessLost = ckr !== undefined && classifyFault(ckr) === 'restartWorker';
  return climb(footing, isProcessLost ? 'restartWorker' : 'reinitialise');
}

/** Whether the fault says that the token or its worker is lost, so that it can't be the request's doing. */
export function isOfTheToken(ckr: number): boolean {
  return firstWorkerRung(classifyFault(ckr)) !== undefined;
}

function firstWorkerRung(faultClass: FaultClass): WorkerRung | undefined {
  switch (faultClass) {
    case 'login':
    case 'reinitialise':
    case 'restartWorker':
      return faultClass;
    case 'requestFault':
    case 'retry':
    case 'evictSession':
    case 'findHandle':
    case 'operator':
      return undefined;
  }
}

function isDoubtful(faultClass: FaultClass, isOfCanary: boolean): boolean {
  return faultClass === 'evictSession' || faultClass === 'findHandle' || (isOfCanary && faultClass === 'requestFault');
}

function climb(footing: Footing, wanted: WorkerRung): Step {
  const { rung: last, tries } = footing;
  if (last === undefined || RUNGS.indexOf(wanted) > RUNGS.indexOf(last)) return take(wanted, 1);
  return tries < BUDGETS[last] ? take(last, tries + 1) : take(NEXT[last], 1);
}

function take(rung: WorkerRung, tries: number): Step {
  const delayMs = tries === 1 ? 0 : Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** (tries - 2));
  return { kind: 'climb', footing: { rung, tries }, rung, delayMs };
}

/** What a failed C_Login says about the PIN. */
export type LoginFailure =
  /** Nothing: the token was not there, or not able. It may be tried again. */
  | 'passing'
  /** The token refused; nobody tries again by himself. */
  | 'refused'
  | 'locked'
  /** Perhaps the PIN was counted as wrong: some tokens say it with codes that say nothing. */
  | 'doubtful';

const CKR_PIN_LOCKED = 0xa4;
/** Codes of class evictSession that say nothing; as does every code that isn't the standard's. */
const SAYS_ONLY_THE_SESSION: ReadonlySet<number> = new Set([0x65, 0x90, 0x91, 0xb0, 0xb3, 0x202, 0x204]);

export function judgeLogin(ckr: number): LoginFailure {
  if (ckr === CKR_PIN_LOCKED) return 'locked';
  switch (classifyFault(ckr)) {
    case 'operator':
      return 'refused';
    case 'requestFault':
      return 'doubtful';
    case 'evictSession':
      return SAYS_ONLY_THE_SESSION.has(ckr) ? 'passing' : 'doubtful';
    case 'retry':
    case 'findHandle':
    case 'login':
    case 'reinitialise':
    case 'restartWorker':
      return 'passing';
  }
}

/** After so many doubtful failures in a row the PIN counts as refused: fewer than any token needs to lock it. */
export const MAX_DOUBTFUL_LOGINS = 2;
/** Long enough that a token which is just coming up isn't asked twice within its start. */
export const DOUBTFUL_LOGIN_DELAY_MS = 5_000;
