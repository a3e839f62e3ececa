/** A test token as its setup.sh made it: what the daemon's configuration needs, and the processes that belong to it. */
import { execFile } from 'node:child_process';
import { openSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TokenConfig } from '../../src/config/config.ts';
import { waitFor } from '../fixtures/daemon-process.ts';

const run = promisify(execFile);
const FOLDER = fileURLToPath(new URL('.', import.meta.url));
/** A first run may install packages. */
const SET_UP_TIMEOUT_MS = 300_000;
/** What a set-up finds its tools by, and a module that no Debian package has. */
const TOOLS = ['PATH', 'KRYOPTIC_MODULE'] as const;
/** EX_UNAVAILABLE of sysexits.h. */
const MISSING_PREREQUISITE = 69;

export const TOKEN_NAMES = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name)
  .toSorted();

export interface TokenProcess {
  readonly name: string;
  readonly pid: number;
}

export interface TestToken {
  readonly name: string;
  readonly dir: string;
  readonly config: Pick<TokenConfig, 'moduleFile' | 'moduleParameters' | 'selector' | 'pinFile' | 'environment'>;
  readonly label: string;
  /** What the module needs to be there; empty when everything happens inside the module. */
  readonly processes: readonly TokenProcess[];
  openPin(): number;
}

/** The machine has not what this token needs: it says nothing about keyturn. */
export class TokenNotAvailableError extends Error {
  override readonly name = 'TokenNotAvailableError';
}

/** Makes the token in `dir`, or brings back the processes of one that is there. */
export async function setUpToken(name: string, dir: string): Promise<TestToken> {
  const stdout = await runSetUp(name, dir);
  const values = (key: string): string[] =>
    [...stdout.matchAll(new RegExp(`^${key}: (.+)$`, 'gm'))].map(([, value = '']) => value);
  const single = (key: string): string => {
    const [value] = values(key);
    if (value === undefined) throw new Error(`the set-up of ${name} does not tell its ${key}:\n${stdout}`);
    return value;
  };
  const pinFile = single('pin');
  return {
    name,
    dir,
    label: single('label'),
    config: {
      moduleFile: single('module'),
      moduleParameters: values('parameters')[0],
      selector: { label: single('label') },
      pinFile,
      environment: Object.fromEntries(values('environment').map(splitAtEquals)),
    },
    processes: values('process').map((line) => {
      const [processName = '', pid] = line.split(' ');
      return { name: processName, pid: Number(pid) };
    }),
    openPin: () => openSync(pinFile, 'r'),
  };
}

async function runSetUp(name: string, dir: string): Promise<string> {
  const env = Object.fromEntries(TOOLS.map((tool) => [tool, process.env[tool]]));
  try {
    return (await run(join(FOLDER, name, 'setup.sh'), [dir], { timeout: SET_UP_TIMEOUT_MS, env })).stdout;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === MISSING_PREREQUISITE)) throw error;
    throw new TokenNotAvailableError('stderr' in error ? String(error.stderr).trim() : error.message);
  }
}

/** How long one may take to end by itself; pkcsslotd doesn't while clients are attached. */
const END_PATIENCE_MS = 3_000;

/** In the order given: what depends on others comes first. Resolves when they are gone. */
export async function endProcesses(processes: readonly TokenProcess[]): Promise<void> {
  for (const each of processes) {
    if (!isRunning(each)) continue;
    signalProcess(each, 'SIGTERM');
    const untilMs = performance.now() + END_PATIENCE_MS;
    await waitFor(`${each.name} to end`, () => {
      const isOver = !isRunning(each);
      if (!isOver && performance.now() > untilMs) signalProcess(each, 'SIGKILL');
      return isOver;
    });
  }
}

/** With the processes that it has forked for its clients: set-ups start each in a group of its own. */
export function signalProcess({ pid }: TokenProcess, name: NodeJS.Signals): void {
  try {
    process.kill(-pid, name);
  } catch {
    process.kill(pid, name);
  }
}

/** The name too: process ids are used again. */
function isRunning({ name, pid }: TokenProcess): boolean {
  try {
    const [, state] = /^\d+ \(.*\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'latin1')) ?? [];
    return state !== 'Z' && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name.slice(0, 15);
  } catch {
    return false;
  }
}

function splitAtEquals(assignment: string): [string, string] {
  const at = assignment.indexOf('=');
  return [assignment.slice(0, at), assignment.slice(at + 1)];
}
