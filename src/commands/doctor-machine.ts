/** Looks at this machine: Node, the clock, the PKCS#11 module's file. Loads no module: a vendor's library may crash. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import type { Config } from '../config/config.ts';
import { fail, ok, type Finding } from './findings.ts';
import { formatIso, formatTime } from './time.ts';

const OLDEST_NODE = 24;
/** No clock that is right shows an earlier time: this program is younger. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);
/** Files may be this much younger than the clock: they come from machines with clocks of their own. */
const TOLERANCE_MS = 5 * 60_000;
const ELF_MAGIC = '7f454c46';

export function checkNode(version: string): Finding {
  const isNewEnough = Number(version.split('.')[0]) >= OLDEST_NODE;
  return isNewEnough
    ? ok('node', `Node ${version}`)
    : fail('node', `Node ${version} is too old`, `install Node ${OLDEST_NODE} or newer`);
}

/** A clock that went back shows itself in files from the future. */
export function checkClock(files: readonly string[], nowMs: number): Finding {
  const name = 'clock';
  const hint = 'set the clock (for instance by systemd-timesyncd or chrony) before the daemon signs anything';
  if (nowMs < EARLIEST_MS) return fail(name, `the clock shows ${formatIso(nowMs)}, which is long past`, hint);
  for (const file of files) {
    const modifiedMs = statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (modifiedMs > nowMs + TOLERANCE_MS) {
      return fail(name, `${file} was written at ${formatTime(modifiedMs, nowMs)}: the clock went back`, hint);
    }
  }
  return ok(name, formatIso(nowMs));
}

export function checkModuleFile(config: Config): Finding {
  const name = 'PKCS#11 module';
  const file = config.token.moduleFile;
  const hint = 'name the PKCS#11 library of the HSM under token.module (SoftHSM2: apt-get install softhsm2)';
  try {
    const descriptor = openSync(file, 'r');
    const magic = Buffer.alloc(4);
    try {
      readSync(descriptor, magic, 0, magic.length, 0);
    } finally {
      closeSync(descriptor);
    }
    if (magic.toString('hex') !== ELF_MAGIC) return fail(name, `${file} is no shared library`, hint);
    return ok(name, `${file} is a shared library`);
  } catch (error) {
    return fail(name, `${file} can't be read: ${error instanceof Error ? error.message : String(error)}`, hint);
  }
}
