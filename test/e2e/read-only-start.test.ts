/** A store that can't be written at the start: the daemon says which and why, and a later start, as systemd makes it, works. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { StartFailure, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { mountSmallDisk, NO_SMALL_DISK, type SmallDisk } from '../fixtures/small-disk.ts';

const EXIT_UNAVAILABLE = 69;
const claims = { iss: ISSUER, aud: AUDIENCE };

async function failureOf(deployment: Deployment): Promise<StartFailure> {
  const outcome: unknown = await startDaemonProcess(deployment).catch((failure: unknown) => failure);
  if (outcome instanceof StartFailure) return outcome;
  throw new Error('the daemon started');
}

function isReadOnlyNow(disk: SmallDisk): boolean {
  try {
    disk.setReadOnly(true);
    return true;
  } catch (failure) {
    if (String(failure).includes('busy')) return false;
    throw failure;
  }
}

it.skipIf(NO_SMALL_DISK !== undefined)(
  'a daemon on a read-only disk ends with 69, logs in nowhere and names the store; it starts when the disk can be written',
  async () => {
    const disk = mountSmallDisk(16);
    const file = join(disk.dir, 'keyturn.db');
    const deployment = await makeDeployment({ spy: true, config: { store: { file } } });
    try {
      const before = await startDaemonProcess(deployment);
      await before.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
      await before.kill();
      const logins = deployment.token.countLogins();
      // Workers end when their daemon has.
      await waitFor('the disk to be let go of', () => isReadOnlyNow(disk));
      for (let restart = 0; restart < 2; restart += 1) {
        const { exitCode, output } = await failureOf(deployment);
        expect(exitCode, output).toBe(EXIT_UNAVAILABLE);
        expect(output).toContain('STORE_UNAVAILABLE');
        expect(output).toContain(`${file} can't be used`);
        expect(output).toContain("check the disk's free space, the mount and the permissions");
      }
      expect(deployment.token.countLogins()).toBe(logins);
      disk.setReadOnly(false);
      const after = await startDaemonProcess(deployment);
      const { jwt } = await after.clientOf('auth-service').signJwt({ signingKey: 'access-tokens', claims });
      expect(jwt.split('.')).toHaveLength(3);
      await after.stop();
    } finally {
      await deployment.dispose();
      disk.dispose();
    }
  },
);
