/** The fuzzing of every parser and every wire, in short. The long run is `npm run fuzz -- --inputs 1000000`. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const INPUTS = 10_000;
/** Always the same inputs: a finding is one of the change at hand. */
const SEED = 2026;

interface Evidence {
  readonly ok: boolean;
  readonly checks: readonly object[];
  readonly targets: readonly { readonly name: string; readonly seed: number; readonly failure?: object }[];
  readonly aftermath?: string;
}

it('nothing crashes, hangs, fails in an unforeseen way or lets through what it must not', async () => {
  const options = ['scripts/fuzz.ts', '--inputs', String(INPUTS), '--seed', String(SEED), '--json'];
  const { stdout } = await promisify(execFile)(process.execPath, options).catch(
    (failure: unknown) => failure as { stdout: string },
  );
  const { ok, checks, targets, aftermath } = JSON.parse(stdout) as Evidence;
  expect(targets.filter(({ failure }) => failure !== undefined)).toEqual([]);
  expect(aftermath).toBeUndefined();
  expect(ok, JSON.stringify(checks)).toBe(true);
});
