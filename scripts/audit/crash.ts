/**
 * SIGKILL under load, again and again, over one audit log. Whatever a client received before the kill must have its
 * entry, not taken back, and the chain must hold. A kill alone tears no line (a write is one call): some ends are torn by
 * hand, as a loss of power would leave them.
 */
import { hash } from 'node:crypto';
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemonProcess, waitFor } from '../../test/fixtures/daemon-process.ts';
import { makeDeployment } from '../../test/fixtures/deployment.ts';
import { type AuditFiles, readAuditFiles } from '../../test/fixtures/audit-files.ts';
import { startSigningLoad } from '../../test/fixtures/signing-load.ts';

const LANES = 16;
const MIN_LOAD_MS = 200;
const MORE_LOAD_MS = 600;
const NAME = 'access-tokens';
/** Every so many kills the end is torn. */
const TEAR_EVERY = 3;

export interface CrashOutcome {
  readonly kills: number;
  readonly received: number;
  /** Received JWTs without an entry that stands. */
  readonly unaccounted: number;
  readonly entries: number;
  readonly takenBack: number;
  readonly tornEnds: number;
  readonly notedEnds: number;
  readonly checkpoints: number;
  /** Entries of JWTs that nobody received: the kill came in between. */
  readonly unanswered: number;
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export async function crashAgainAndAgain(kills: number, onKill: (kill: number) => void): Promise<CrashOutcome> {
  const deployment = await makeDeployment({
    signingKeys: [NAME],
    spy: false,
    config: { audit: { segmentMegabytes: 1 } },
  });
  const directory = join(deployment.dir, 'audit');
  const received: string[] = [];
  let tornEnds = 0;
  try {
    for (let kill = 1; kill <= kills; kill += 1) {
      const daemon = await startDaemonProcess(deployment);
      if (kill === 1) await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256' });
      await waitFor('the signing key', async () => {
        const { signingKey } = await daemon.admin.getSigningKey({ name: NAME });
        return signingKey.activeKid !== undefined;
      });
      const load = startSigningLoad(
        Array.from({ length: LANES }, () => daemon.clientOf('auth-service')),
        NAME,
      );
      await waitFor('the first JWT', () => load.jwts.length > 0);
      await sleep(MIN_LOAD_MS + Math.random() * MORE_LOAD_MS);
      // Not the clients first: their connections break, as they would.
      process.kill(daemon.pid, 'SIGKILL');
      await load.stop();
      await daemon.kill();
      received.push(...load.jwts.map(({ jwt }) => jwt));
      if (kill % TEAR_EVERY === 0) {
        tear(directory, kill);
        tornEnds += 1;
      }
      onKill(kill);
    }
    // The last end is handled, and the log is closed, in order.
    const daemon = await startDaemonProcess(deployment);
    await daemon.stop();
    return { kills, tornEnds, ...judge(received, readAuditFiles(directory)) };
  } finally {
    await deployment.dispose();
  }
}

function tear(directory: string, kill: number): void {
  const { segments } = readAuditFiles(directory);
  const torn = kill % (2 * TEAR_EVERY) === 0 ? '\0'.repeat(700) : '{"seq":123456,"time":"2026-11-';
  appendFileSync(join(directory, segments.at(-1) ?? ''), torn);
}

function judge(received: readonly string[], { entries }: AuditFiles): Omit<CrashOutcome, 'kills' | 'tornEnds'> {
  const takenBack = new Set(entries.flatMap((entry) => (entry.kind === 'JWT_FAILED' ? [entry.dispatched] : [])));
  const standing = new Set(
    entries.flatMap((entry) => (entry.kind === 'JWT_DISPATCHED' && !takenBack.has(entry.seq) ? [entry.sha256] : [])),
  );
  const digests = received.map((jwt) => hash('sha256', jwt.slice(0, jwt.lastIndexOf('.')), 'base64url'));
  const unaccounted = digests.filter((digest) => !standing.has(digest)).length;
  return {
    received: received.length,
    unaccounted,
    entries: entries.length,
    takenBack: takenBack.size,
    notedEnds: entries.filter(({ kind }) => kind === 'TAIL_CUT').length,
    checkpoints: entries.filter(({ kind }) => kind === 'CHECKPOINT').length,
    unanswered: standing.size - (received.length - unaccounted),
  };
}
