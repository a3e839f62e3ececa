/**
 * A compromise while the store's disk is full (DESIGN: rule 6): in effect at once, durable when it is answered, nobody's
 * request fails; and still so after SIGKILL and a restart, with the disk still full and with room again.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { JSONWebKeySet } from 'jose';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { KeyturnClient } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { mountSmallDisk, NO_SMALL_DISK, type SmallDisk } from '../fixtures/small-disk.ts';

const SIGNERS = 4;
const LOAD_MS = 500;
/** From the command to the last JWT of the old key, and to the key set without it. Generous: the target is a tenth of it. */
const MAX_WITHDRAWAL_MS = 1_000;
const NAME = 'access-tokens';
const READY = { timeout: 10_000, interval: 100 };
const claims = { iss: ISSUER, aud: AUDIENCE, sub: 'alice' };

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function fetchKids(url: string): Promise<string[]> {
  const { keys } = (await (await fetch(`${url}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
  return keys.map((key) => String(key.kid));
}

describe.skipIf(NO_SMALL_DISK !== undefined)('a compromise on a full disk', () => {
  let disk: SmallDisk;
  let deployment: Deployment;
  let daemon: DaemonProcess;
  let fallenKid = '';

  beforeAll(async () => {
    disk = mountSmallDisk(8);
    deployment = await makeDeployment({
      signingKeys: [NAME],
      // With metrics on: what decorates the store must hand on that a commit may use the reserve.
      config: {
        store: { file: join(disk.dir, 'keyturn.db') },
        metrics: { address: '127.0.0.1:0' },
        // The audit log is on the same disk, and would stop the signing.
        audit: { onFailure: 'continue' },
      },
    });
    daemon = await startDaemonProcess(deployment);
    await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256' });
  });
  afterAll(async () => {
    await daemon.stop();
    await deployment.dispose();
    disk.dispose();
  });

  const activeKid = async (): Promise<string | undefined> =>
    (await daemon.admin.getSigningKey({ name: NAME })).signingKey.activeKid;

  /** Ordinary changes are refused: the disk is really full, for the daemon too. */
  async function expectFull(): Promise<void> {
    const change = daemon.admin.applySigningKey({ name: `other-${Date.now()}`, algorithm: 'ES256' });
    await expect(change).rejects.toMatchObject({ reason: 'STORE_UNAVAILABLE' });
  }

  async function expectFallen(): Promise<void> {
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: NAME });
    expect(keyVersions.find(({ kid }) => kid === fallenKid)?.state).toBe('COMPROMISED');
    expect(await fetchKids(daemon.httpUrl)).not.toContain(fallenKid);
    // Right after a start the store and the token are compared before anything is signed.
    const auth = daemon.clientOf('auth-service');
    const { kid } = await vi.waitFor(() => auth.signJwt({ signingKey: NAME, claims }), READY);
    expect(kid).not.toBe(fallenKid);
  }

  it('is durable when it is answered, at once in effect, and fails no request', { timeout: 60_000 }, async () => {
    fallenKid = (await activeKid()) ?? '';
    const signed: { kid: string; atMs: number }[] = [];
    const failures: unknown[] = [];
    const enough = new AbortController();
    const signer = async (client: KeyturnClient): Promise<void> => {
      while (!enough.signal.aborted) {
        try {
          const { kid } = await client.signJwt({ signingKey: NAME, claims });
          signed.push({ kid, atMs: performance.now() });
        } catch (failure) {
          failures.push(failure);
        }
      }
    };
    let withdrawnAtMs: number | undefined;
    const watcher = async (): Promise<void> => {
      while (!enough.signal.aborted) {
        const kids = await fetchKids(daemon.httpUrl);
        if (!kids.includes(fallenKid)) withdrawnAtMs ??= performance.now();
        await sleep(2);
      }
    };
    const load = [watcher(), ...Array.from({ length: SIGNERS }, () => signer(daemon.clientOf('auth-service')))];
    let commandAtMs = 0;
    let answerMs = 0;
    let withdrawnVersions: readonly number[] | undefined;
    try {
      await sleep(LOAD_MS);
      disk.fill();
      await expectFull();
      commandAtMs = performance.now();
      const { effects } = await daemon.admin.declareCompromised({
        scope: { version: { signingKey: NAME, version: 1 } },
        reason: 'drill on a full disk',
      });
      answerMs = performance.now() - commandAtMs;
      withdrawnVersions = effects[0]?.withdrawnVersions;
      await sleep(LOAD_MS);
    } finally {
      enough.abort();
      await Promise.all(load);
    }

    const lastOldMs = Math.max(
      0,
      ...signed
        .filter(({ kid, atMs }) => kid === fallenKid && atMs >= commandAtMs)
        .map(({ atMs }) => atMs - commandAtMs),
    );
    const withdrawnMs = (withdrawnAtMs ?? Number.POSITIVE_INFINITY) - commandAtMs;
    console.log(
      `compromise on a full disk: answered after ${answerMs.toFixed(1)} ms, last JWT of the old key after ${lastOldMs.toFixed(1)} ms, key set without it after ${withdrawnMs.toFixed(1)} ms, ${signed.length} JWTs, ${failures.length} failures`,
    );
    expect(withdrawnVersions).toEqual([1]);
    expect(failures).toEqual([]);
    expect(signed.some(({ kid }) => kid === fallenKid)).toBe(true);
    expect(signed.at(-1)?.kid).not.toBe(fallenKid);
    expect(lastOldMs).toBeLessThan(MAX_WITHDRAWAL_MS);
    expect(withdrawnMs).toBeLessThan(MAX_WITHDRAWAL_MS);
    await expectFull();
  });

  it('is still declared after SIGKILL and a restart on the full disk, with a changed promise', {
    timeout: 60_000,
  }, async () => {
    await daemon.kill();
    const config = JSON.parse(readFileSync(deployment.configFile, 'utf8')) as { keySets: { default: object } };
    config.keySets.default = { ...config.keySets.default, jwksMaxAge: '2s', verifierCacheCeiling: '4s' };
    writeFileSync(deployment.configFile, JSON.stringify(config));
    daemon = await startDaemonProcess(deployment);
    await expectFallen();
    const { headers } = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
    // Not recorded yet, so the shorter max-age of both is promised.
    expect(headers.get('cache-control')).toContain('max-age=1');
    await expectFull();
  });

  it('is still declared after SIGKILL, more room and a restart, and the key heals', { timeout: 60_000 }, async () => {
    await daemon.kill();
    disk.free();
    daemon = await startDaemonProcess(deployment);
    await expectFallen();
    for (let standbys = 0; standbys < 2; await sleep(100))
      standbys = (await daemon.admin.getSigningKey({ name: NAME })).signingKey.propagatedStandbys;
    await daemon.kill();
    daemon = await startDaemonProcess(deployment);
    await expectFallen();
    const { headers } = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
    expect(headers.get('cache-control')).toContain('max-age=2');
  });
});
