/** Runs the real CLI as a process, as a user would. */
import { execFile } from 'node:child_process';
import path from 'node:path';
import { COMPILE_CACHE } from '../fixtures/compile-cache.ts';

const ENTRY = path.resolve(import.meta.dirname, '../../src/cli.ts');
const TIMEOUT_MS = 60_000;

export interface CliResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly cwd: string;
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string>>;
}

export function runCli(
  words: readonly string[],
  { cwd, input = '', environment = {} }: CliOptions,
): Promise<CliResult> {
  return new Promise((resolve, reject) => {
    const env = { PATH: process.env['PATH'], HOME: cwd, ...COMPILE_CACHE, ...environment };
    const child = execFile(
      process.execPath,
      [ENTRY, ...words],
      { cwd, env, timeout: TIMEOUT_MS },
      (error, stdout, stderr) => {
        if (error !== null && typeof error.code !== 'number')
          reject(new Error(`${words.join(' ')} did not end by itself`, { cause: error }));
        else resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
      },
    );
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(input);
  });
}
