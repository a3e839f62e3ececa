/** What a token says of failed logins, by its own flags: asked in a process of its own, and without logging in. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { TestToken } from './set-up.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 30_000;

/** After one failure USER_PIN_COUNT_LOW at most, before the last attempt USER_PIN_FINAL_TRY, after it USER_PIN_LOCKED. */
export async function readPinFlags({ label, config }: TestToken): Promise<readonly string[]> {
  const { moduleFile, moduleParameters, environment } = config;
  const program = fileURLToPath(new URL('./token-flags.ts', import.meta.url));
  const parameters = moduleParameters === undefined ? [] : [moduleParameters];
  const { stdout } = await run(process.execPath, [program, moduleFile, label, ...parameters], {
    timeout: TIMEOUT_MS,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
  });
  return JSON.parse(stdout) as readonly string[];
}
