/**
 * What happens to the token during a soak. A fault is begun, lasts, and is over when `run` resolves; what the daemon makes
 * of it afterwards is measured by the caller. A refused PIN is missing on purpose: that ends in an operator's hands.
 */
import { FAULT_ROWS } from '../../src/hsm/faults.ts';
import type { Shim, ShimRule } from '../../test/shim/shim.ts';
import type { Prng } from '../../test/simulation/prng.ts';
import { setUpToken, signalProcess, type TestToken } from '../../test/tokens/set-up.ts';
import { pause } from './load.ts';

export interface SoakFault {
  readonly name: string;
  /** Resolves when it is over, with whether it met anything: a key generation isn't always there to fail. */
  run(): Promise<boolean>;
}

const SHORT_MS = 300;
/** Long enough for a rotation's key generation to fall into it now and then. */
const LONG_MS = 2_000;
/** Longer than `token.signTimeout`: what hangs is found out meanwhile. */
const HANG_MS = 2_500;

const CKR_DEVICE_ERROR = 0x30;
const CKR_DEVICE_REMOVED = 0x32;
const CKR_KEY_HANDLE_INVALID = 0x60;
const CKA_EXTRACTABLE = 0x162;

const FAULTY_FUNCTIONS = [
  'C_OpenSession',
  'C_FindObjectsInit',
  'C_FindObjects',
  'C_SignInit',
  'C_Sign',
  'C_GenerateKeyPair',
  'C_DestroyObject',
] as const;

/** Of processes: the workers, and for a token out of process its own. */
export function workerFaults(workerPids: () => Promise<readonly number[]>, prng: Prng): readonly SoakFault[] {
  const signalOne = async (signal: 'SIGKILL' | 'SIGSTOP', lastsMs: number): Promise<boolean> => {
    const pids = await workerPids();
    const pid = pids[prng.whole(0, pids.length - 1)];
    if (pid === undefined) return false;
    process.kill(pid, signal);
    await pause(lastsMs);
    return true;
  };
  return [
    { name: 'worker killed', run: () => signalOne('SIGKILL', 0) },
    { name: 'worker stopped', run: () => signalOne('SIGSTOP', HANG_MS) },
  ];
}

export function processFaults(token: TestToken, prng: Prng): readonly SoakFault[] {
  let { processes } = token;
  const signalAll = (signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void => {
    for (const each of processes) signalProcess(each, signal);
  };
  return [
    {
      name: 'token server killed and restarted',
      async run() {
        signalAll('SIGKILL');
        await pause(prng.whole(0, LONG_MS));
        ({ processes } = await setUpToken(token.name, token.dir));
        return true;
      },
    },
    {
      name: 'token server stopped and continued',
      async run() {
        signalAll('SIGSTOP');
        await pause(prng.whole(SHORT_MS, 2 * LONG_MS));
        signalAll('SIGCONT');
        return true;
      },
    },
  ];
}

/** Of the module, by test/shim. */
export function moduleFaults(shim: Shim, prng: Prng): readonly SoakFault[] {
  const fault = (name: string, lastsMs: number, drawRules: () => readonly ShimRule[]): SoakFault => ({
    name,
    async run() {
      const armed = drawRules().map((rule) => shim.arm(rule));
      await pause(lastsMs);
      const hasHit = armed.some((rule) => rule.hits() > 0);
      shim.clear();
      return hasHit;
    },
  });
  const once = (): { readonly skip: number; readonly limit: number } => ({ skip: prng.whole(0, 20), limit: 1 });
  const few = (): { readonly skip: number; readonly limit: number } => ({ ...once(), limit: prng.whole(1, 5) });
  const spoilt = (['flipBit', 'truncate', 'derEncode', 'zero'] as const).map((action) =>
    fault(`wrong signature: ${action}`, SHORT_MS, () => [{ on: 'C_Sign', action, ...few() }]),
  );
  return [
    ...spoilt,
    fault('wrong signature: another key', SHORT_MS, () => [{ on: 'C_SignInit', action: 'otherKey', ...few() }]),
    fault('crash', SHORT_MS, () => [{ on: 'C_Sign', action: 'segfault', ...once() }]),
    fault('exit', SHORT_MS, () => [{ on: 'C_SignInit', action: 'exit', exitCode: 1, ...once() }]),
    fault('hang', HANG_MS, () => [{ on: 'C_Sign', action: 'hang', ...once() }]),
    fault('slow', LONG_MS, () => [{ on: 'C_Sign', action: 'delay', delayMs: prng.whole(1, 20), every: 10 }]),
    fault('device error', LONG_MS, () => [{ on: 'C_Sign', action: 'returnCode', ckr: CKR_DEVICE_ERROR }]),
    fault('no slots', LONG_MS, () => [
      { on: 'C_GetSlotList', action: 'noSlots' },
      { on: 'C_SignInit', action: 'returnCode', ckr: CKR_DEVICE_REMOVED },
    ]),
    fault('session lost every 100 signatures', LONG_MS, () => [
      { on: 'C_SignInit', action: 'dropSession', every: 100 },
    ]),
    fault('login lost', SHORT_MS, () => [{ on: 'C_SignInit', action: 'logOut', ...once() }]),
    fault('stale handles', SHORT_MS, () => [
      { on: 'C_SignInit', action: 'returnCode', ckr: CKR_KEY_HANDLE_INVALID, ...few() },
    ]),
    fault('keys not found', SHORT_MS, () => [
      { on: 'C_SignInit', action: 'dropSession', limit: 1 },
      { on: 'C_FindObjects', action: 'noObjects', limit: 1 },
    ]),
    fault('key not provably non-exportable', LONG_MS, () => [
      { on: 'C_GetAttributeValue', action: 'lie', attribute: CKA_EXTRACTABLE, byte: 1, limit: 1 },
    ]),
    fault('any code', SHORT_MS, () => [drawCode(prng)]),
    fault('any code, afterwards', LONG_MS, () => [{ ...drawCode(prng), action: 'codeAfterwards' }]),
  ];
}

/** Not those that only an operator can mend. */
function drawCode(prng: Prng): ShimRule & { readonly ckr: number } {
  const rows = FAULT_ROWS.filter(({ faultClass }) => faultClass !== 'operator');
  const on = FAULTY_FUNCTIONS[prng.whole(0, FAULTY_FUNCTIONS.length - 1)] ?? 'C_Sign';
  const ckr = rows[prng.whole(0, rows.length - 1)]?.ckr ?? CKR_DEVICE_ERROR;
  return { on, action: 'returnCode', ckr, limit: prng.whole(1, 3) };
}
