/**
 * A real token that can make no keys for a while: SoftHSM2 whose disk is full, under a signing load. Signing goes on,
 * the alarm is raised, the rotation waits and says so, and catches up when there is room again.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SigningKey } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment } from '../fixtures/deployment.ts';
import { type SigningLoad, startSigningLoad } from '../fixtures/signing-load.ts';
import { mountSmallDisk, NO_SMALL_DISK, type SmallDisk } from '../fixtures/small-disk.ts';

const NAME = 'access-tokens';
const SIGNING_PERIOD_MS = 3_000;
const FILL_MS = 20;

/** SoftHSM2 keeps each object in a file of its own: from here on on that disk. */
function moveToken({ token }: Deployment, disk: SmallDisk): void {
  const file = token.environment['SOFTHSM2_CONF'] ?? '';
  const configuration = readFileSync(file, 'utf8');
  const folder = /^directories\.tokendir = (.+)$/m.exec(configuration)?.[1] ?? '';
  const moved = join(disk.dir, 'tokens');
  cpSync(folder, moved, { recursive: true });
  writeFileSync(file, configuration.replace(folder, moved));
}

describe.skipIf(NO_SMALL_DISK !== undefined)('a token that can make no keys', () => {
  let disk: SmallDisk;
  let deployment: Deployment;
  let daemon: DaemonProcess;
  let load: SigningLoad;

  beforeAll(async () => {
    disk = mountSmallDisk(1);
    deployment = await makeDeployment({
      config: {
        metrics: { address: '127.0.0.1:0' },
        keySets: {
          default: { jwksMaxAge: '1s', verifierCacheCeiling: '1s', verifierSkew: '0s', sharedCaches: 'none' },
        },
      },
    });
    moveToken(deployment, disk);
    daemon = await startDaemonProcess(deployment);
    await daemon.admin.applySigningKey({
      name: NAME,
      algorithm: 'ES256',
      lifecyclePolicy: {
        signingPeriodMs: SIGNING_PERIOD_MS,
        maxSigningPeriodMs: 120_000,
        maxJwtLifetimeMs: 2_000,
        rollbackWindowMs: 0,
      },
    });
    load = startSigningLoad([daemon.clientOf('auth-service'), daemon.clientOf('auth-service')], NAME);
  });
  afterAll(async () => {
    await load.stop();
    await daemon.stop();
    await deployment.dispose();
    disk.dispose();
  });

  const find = async (): Promise<SigningKey> => (await daemon.admin.getSigningKey({ name: NAME })).signingKey;

  async function gauge(series: string): Promise<number | undefined> {
    const url = /"metricsUrl":"([^"]+)"/.exec(daemon.log())?.[1] ?? '';
    const text = await (await fetch(`${url}/metrics`)).text();
    const line = text.split('\n').find((candidate) => candidate.startsWith(series));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ')));
  }

  const STEP_LATE = `keyturn_step_late_seconds{signing_key="${NAME}",step="makeVersion"`;
  const ROTATION_DUE = `keyturn_rotation_due_seconds{signing_key="${NAME}"}`;

  it('signs on, raises the alarm, waits with the rotation, and catches up', async () => {
    // A version that is destroyed makes room, which is taken at once.
    const filling = setInterval(() => disk.fill(), FILL_MS);
    let stuck: SigningKey;
    try {
      await waitFor(
        'a rotation that waits',
        async () => (await find()).lastProblem?.includes('the rotation is due') === true,
      );
      await waitFor(
        'the alarm',
        async () => ((await gauge(STEP_LATE)) ?? 0) > 1 && ((await gauge(ROTATION_DUE)) ?? 0) < 0,
      );
      stuck = await find();
      expect(stuck.propagatedStandbys, 'the last standby is kept for an emergency').toBe(1);
      expect(stuck.lastProblem).toMatch(/^the rotation is due and waits: .*; makeVersion: /);
      const { length } = load.jwts;
      await waitFor('callers to go on', () => load.jwts.length > length + 20);
      expect((await find()).activeVersion).toBe(stuck.activeVersion);
    } finally {
      clearInterval(filling);
    }
    disk.free();
    await waitFor(
      'the next rotation',
      async () => ((await find()).activeVersion ?? 0) > (stuck.activeVersion ?? 0),
      60_000,
    );
    await waitFor('the end of the alarm', async () => (await gauge(STEP_LATE)) === undefined);
    expect(load.failures).toEqual([]);
  });
});
