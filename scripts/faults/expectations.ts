/**
 * What docs/reference/ckr.md promises for one code out of one function: the class is the table's, what follows from it
 * is written down here a second time, so that workers are held against the document and not against the ladder they run.
 */
import { CKR_UNKNOWN, classifyFault } from '../../src/hsm/faults.ts';
import type { Rung } from '../../src/hsm/hsm.ts';

export const FUNCTIONS = [
  'C_Initialize',
  'C_OpenSession',
  'C_Login',
  'C_FindObjects',
  'C_SignInit',
  'C_Sign',
  'C_GenerateKeyPair',
  'C_DestroyObject',
] as const;
export type FaultyFunction = (typeof FUNCTIONS)[number];

/** Functions that serve a request; the others open the token. */
export const REQUEST_FUNCTIONS: readonly FaultyFunction[] = [
  'C_FindObjects',
  'C_SignInit',
  'C_Sign',
  'C_GenerateKeyPair',
  'C_DestroyObject',
];

/** What brings a worker to call the functions that open a token: the code that C_Sign returns first. */
export const TRIGGERS: Partial<Record<FaultyFunction, number>> = {
  C_Initialize: 0x30,
  C_OpenSession: 0x90,
  C_Login: 0x101,
};

/** What the binding reports as "no return value" is CK_RV −1 here: it doesn't fit 32 bits. */
export function toCkRv(ckr: number): bigint {
  return ckr === CKR_UNKNOWN ? 0xffff_ffff_ffff_ffffn : BigInt(ckr);
}

/** Codes by which C_GenerateKeyPair refuses a template: it is asked again with a shorter one. */
const TEMPLATE_REFUSALS: readonly number[] = [0x05, 0x06, 0x10, 0x12, 0x13, 0xd1];
const CRYPTOKI_ALREADY_INITIALIZED = 0x191;

/** The highest rung that one such fault leads to. */
export function expectedRung(functionName: FaultyFunction, ckr: number): Rung | 'none' {
  const faultClass = classifyFault(ckr);
  switch (functionName) {
    // Met on the way of a re-initialisation, which is tried again unless the process or the module can't go on.
    case 'C_Initialize':
      if (ckr === CRYPTOKI_ALREADY_INITIALIZED) return 'reinitialise';
      return faultClass === 'restartWorker' || faultClass === 'operator' || faultClass === 'requestFault'
        ? 'restartWorker'
        : 'reinitialise';
    // Met when a session is opened anew: the token is lost for it, whatever the code.
    case 'C_OpenSession':
      return faultClass === 'restartWorker' || faultClass === 'login' || faultClass === 'operator'
        ? faultClass
        : 'reinitialise';
    // Met when the login is made again. One that is claimed to be there (0x100) isn't: no key is found.
    case 'C_Login':
      return faultClass === 'restartWorker' || faultClass === 'operator' ? faultClass : 'reinitialise';
    case 'C_GenerateKeyPair':
      if (TEMPLATE_REFUSALS.includes(ckr)) return 'none';
      return faultClass === 'requestFault' ? 'none' : faultClass;
    case 'C_FindObjects':
    case 'C_SignInit':
    case 'C_Sign':
    case 'C_DestroyObject':
      return faultClass === 'requestFault' ? 'none' : faultClass;
  }
}

/** Sign requests that may fail, of those in flight: the one that met a fault of its own. */
export function allowedFailures(functionName: FaultyFunction, ckr: number): number {
  const faultClass = classifyFault(ckr);
  const isSigning = functionName === 'C_SignInit' || functionName === 'C_Sign';
  return isSigning && (faultClass === 'requestFault' || faultClass === 'operator') ? 1 : 0;
}

/** Whether somebody has to say `retry-login` before the worker comes back. */
export function needsOperator(functionName: FaultyFunction, ckr: number): boolean {
  return functionName === 'C_Login' && classifyFault(ckr) === 'operator';
}
