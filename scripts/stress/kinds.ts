/** The faults of `npm run stress`: each begins, lasts and ends by itself, and says when it ended. */
import type { Shim, ShimRule } from '../../test/shim/shim.ts';
import { pause } from '../soak/load.ts';

const CKR_DEVICE_ERROR = 0x30;
const CKR_TOKEN_NOT_PRESENT = 0xe0;
const CKR_KEY_HANDLE_INVALID = 0x60;
const LOOK_MS = 2;
/** Under load every rule is met at once; a worker that hangs is killed after `token.signTimeout`. */
const PATIENCE_MS = 15_000;
const SHORT_MS = 500;
/** One of so many signatures loses its session. */
const SESSION_LOSS_EVERY = 100;
/** Stale handles are met by several requests at a time. */
const STALE_HANDLES = 5;

export interface Kind {
  readonly name: string;
  /** What mends it, which says how soon it must be mended. */
  readonly mendedBy: 'sameProcess' | 'newWorker';
  /** Resolves when it is over, with that moment (ms of the monotonic clock). */
  run(round: number): Promise<number>;
}

/** `outageMs`: how long the first outage of the device lasts; those after it are short. */
export function kindsOf(shim: Shim, workerPids: () => Promise<readonly number[]>, outageMs: number): readonly Kind[] {
  const lasting = async (rules: readonly ShimRule[], lastsMs: number): Promise<number> => {
    const armed = rules.map((rule) => shim.arm(rule));
    await until('the fault to be met', () => armed.some((rule) => rule.hits() > 0));
    await pause(lastsMs);
    shim.clear();
    return performance.now();
  };
  const hits = async (rule: ShimRule & { readonly limit: number }): Promise<number> => {
    const armed = shim.arm(rule);
    await until('the fault to be met', () => armed.hits() >= rule.limit);
    shim.clear();
    return performance.now();
  };
  return [
    {
      name: 'device error',
      mendedBy: 'sameProcess',
      run: (round) =>
        lasting([{ on: 'C_Sign', action: 'returnCode', ckr: CKR_DEVICE_ERROR }], round === 0 ? outageMs : SHORT_MS),
    },
    {
      name: 'no slots',
      mendedBy: 'sameProcess',
      run: () =>
        lasting(
          [
            { on: 'C_SignInit', action: 'returnCode', ckr: CKR_TOKEN_NOT_PRESENT },
            { on: 'C_GetSlotList', action: 'noSlots' },
          ],
          SHORT_MS,
        ),
    },
    {
      name: 'session lost every 100 signatures',
      mendedBy: 'sameProcess',
      run: () => lasting([{ on: 'C_SignInit', action: 'dropSession', every: SESSION_LOSS_EVERY }], SHORT_MS),
    },
    {
      name: 'login lost',
      mendedBy: 'sameProcess',
      run: () => hits({ on: 'C_SignInit', action: 'logOut', limit: 1 }),
    },
    {
      name: 'stale handles',
      mendedBy: 'sameProcess',
      run: () => hits({ on: 'C_SignInit', action: 'returnCode', ckr: CKR_KEY_HANDLE_INVALID, limit: STALE_HANDLES }),
    },
    {
      name: "another key's signatures",
      mendedBy: 'sameProcess',
      run: () => hits({ on: 'C_SignInit', action: 'otherKey', limit: 2 }),
    },
    {
      name: 'crash',
      mendedBy: 'newWorker',
      run: () => hits({ on: 'C_Sign', action: 'segfault', limit: 1 }),
    },
    {
      name: 'hang',
      mendedBy: 'newWorker',
      // It is over when the worker that hangs is gone.
      async run() {
        const before = await workerPids();
        await hits({ on: 'C_Sign', action: 'hang', limit: 1 });
        await until('the worker that hangs to be killed', () => !before.every(isAlive));
        return performance.now();
      },
    },
  ];
}

async function until(what: string, isSo: () => boolean): Promise<void> {
  const endMs = performance.now() + PATIENCE_MS;
  while (!isSo()) {
    if (performance.now() > endMs) throw new Error(`waited ${PATIENCE_MS} ms in vain for ${what}`);
    await pause(LOOK_MS);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
