/** One fault of each kind on the daemon under load, by `npm run stress`; the long run is that command's own. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const SCRIPT = fileURLToPath(new URL('../../scripts/stress.ts', import.meta.url));
const ARGUMENTS = ['--faults', '8', '--outage-seconds', '1', '--json'];

interface Evidence {
  readonly checks: readonly { readonly name: string; readonly ok: boolean }[];
  readonly failures: readonly unknown[];
}

it('eight kinds of faults under 64 calls in flight: nothing wrong leaves, no request that had time fails, nothing leaks', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [SCRIPT, ...ARGUMENTS]).catch(
    (error: unknown) => error as { readonly stdout: string },
  );
  const { checks, failures } = JSON.parse(stdout) as Evidence;
  expect(failures).toEqual([]);
  // How soon depends on what else the machine does.
  const failed = checks.filter(({ name, ok }) => !ok && !name.startsWith('slowest recovery'));
  expect(failed).toEqual([]);
  expect(checks.length).toBeGreaterThan(10);
});
