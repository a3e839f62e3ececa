/** WatchKeySet of a real daemon over mTLS: each snapshot the moment HTTP answers with it, until somebody ends the stream. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { kill } from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROTO_DIRECTORY } from '../../src/base/proto-loading.ts';
import type { KeySet, KeyturnClient } from '../../src/client/client.ts';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { type Deployment, makeDeployment, SHORT_PROMISE } from '../fixtures/deployment.ts';
import { HAS_PYTHON_PACKAGES, runPython } from '../fixtures/python-program.ts';

const SIGNING_KEY = 'access-tokens';
const MAX_WATCHES = 16;
/** Generous, as machines differ: the figures are printed. */
const PROMPT_MS = 1_000;

let deployment: Deployment;
let daemon: DaemonProcess;

beforeAll(async () => {
  deployment = await makeDeployment({
    config: {
      metrics: { address: '127.0.0.1:0' },
      keySets: { default: { ...SHORT_PROMISE, maxPublishedVersions: 32 } },
    },
  });
  daemon = await startDaemonProcess(deployment);
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

interface Seen {
  readonly keySet: KeySet;
  readonly kids: readonly string[];
  readonly atMs: number;
}

interface Watch {
  /** Oldest first. */
  readonly seen: readonly Seen[];
  stop(): void;
  /** With the failure, or undefined. */
  readonly ended: Promise<unknown>;
}

function watch(client: KeyturnClient): Watch {
  const seen: Seen[] = [];
  const stopping = new AbortController();
  const reading = async (): Promise<unknown> => {
    try {
      for await (const keySet of client.watchKeySet({}, { signal: stopping.signal })) {
        const { keys } = JSON.parse(Buffer.from(keySet.jwks).toString('utf8')) as { keys: { kid: string }[] };
        seen.push({ keySet, kids: keys.map(({ kid }) => kid), atMs: performance.now() });
      }
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  };
  return { seen, stop: () => stopping.abort(), ended: reading() };
}

async function fetchKeySet(): Promise<{
  readonly jwks: Buffer;
  readonly etag: string | null;
  readonly maxAge: string | null;
}> {
  const response = await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
  const { headers } = response;
  return {
    jwks: Buffer.from(await response.arrayBuffer()),
    etag: headers.get('etag'),
    maxAge: headers.get('cache-control'),
  };
}

/** As the metrics say, which may be a second old. */
async function openWatches(): Promise<number> {
  const url = /"metricsUrl":"([^"]+)"/.exec(daemon.log())?.[1] ?? '';
  const text = await (await fetch(`${url}/metrics`)).text();
  return Number(/^keyturn_key_set_watches (\d+)$/m.exec(text)?.[1]);
}

async function healed(): Promise<void> {
  await waitFor('two propagated standbys', async () => {
    const { signingKey } = await daemon.admin.getSigningKey({ name: SIGNING_KEY });
    return signingKey.activeVersion !== undefined && signingKey.propagatedStandbys === 2;
  });
}

describe('a watcher', () => {
  let watches: Watch[];

  beforeAll(() => {
    watches = ['auth-service', 'auditor', 'operator'].map((caller) => watch(daemon.clientOf(caller)));
    watches.push(watch(daemon.admin));
  });

  it('gets the first generation of a key set that had no content when it came', async () => {
    await waitFor('the streams to be open', async () => (await openWatches()) === watches.length);
    expect(watches.flatMap(({ seen }) => seen)).toEqual([]);
    await daemon.admin.applySigningKey({ name: SIGNING_KEY, algorithm: 'ES256' });
    await waitFor('the first generation', () => watches.every(({ seen }) => seen.length === 1));
    const { jwks, etag, maxAge } = await fetchKeySet();
    for (const { seen } of watches) {
      const first = seen[0]?.keySet;
      expect([Buffer.from(first?.jwks ?? []), first?.etag]).toEqual([jwks, etag]);
      expect(maxAge).toBe(`public, max-age=${(first?.maxAgeMs ?? 0) / 1_000}`);
    }
  });

  it('gets the generations of a rotation in order, with nothing left out', async () => {
    const before = watches.map(({ seen }) => seen.length);
    await daemon.admin.rotate({ signingKey: SIGNING_KEY });
    await healed();
    const { generation } = await daemon.admin.getKeySet();
    await waitFor('all of it', () => watches.every(({ seen }) => seen.at(-1)?.keySet.generation === generation));
    for (const [index, { seen }] of watches.entries()) {
      expect(seen.length).toBeGreaterThan(before[index] ?? 0);
      expect(seen.map(({ keySet }) => keySet.generation)).toEqual(
        Array.from({ length: generation }, (_, at) => at + 1),
      );
    }
  });

  it('learns of a compromise as soon as HTTP does, with the same bytes', async () => {
    const { keyVersions } = await daemon.admin.listKeyVersions({ signingKey: SIGNING_KEY });
    const fallen = keyVersions.find(({ state }) => state === 'ACTIVE');
    const before = watches.map(({ seen }) => seen.length);
    const startMs = performance.now();
    await daemon.admin.declareCompromised({
      scope: { version: { signingKey: SIGNING_KEY, version: fallen?.version ?? 0 } },
      reason: 'drill',
    });
    const withoutIt = ({ seen }: Watch, index: number): Seen | undefined =>
      seen.slice(before[index]).find(({ kids }) => !kids.includes(fallen?.kid ?? ''));
    await waitFor('the news', () => watches.every((each, index) => withoutIt(each, index) !== undefined));
    const tookMs = watches.map((each, index) => (withoutIt(each, index)?.atMs ?? Number.POSITIVE_INFINITY) - startMs);
    process.stdout.write(
      `compromise, from the command's start to the watchers: ${tookMs.map((ms) => `${ms.toFixed(1)} ms`).join(', ')}\n`,
    );
    for (const ms of tookMs) expect(ms).toBeLessThan(PROMPT_MS);
    await healed();
    const { jwks } = await fetchKeySet();
    await waitFor('the bytes of HTTP', () =>
      watches.every(({ seen }) => jwks.equals(Buffer.from(seen.at(-1)?.keySet.jwks ?? []))),
    );
    for (const { seen } of watches) {
      const generations = seen.map(({ keySet }) => keySet.generation);
      expect(generations).toEqual(generations.toSorted((left, right) => left - right));
    }
  });

  it('that takes its time gets the latest next', async () => {
    const generations: number[] = [];
    for await (const { generation } of daemon.clientOf('other-service').watchKeySet()) {
      generations.push(generation);
      if (generations.length === 2) break;
      for (const name of ['slow-a', 'slow-b', 'slow-c'])
        await daemon.admin.applySigningKey({ name, algorithm: 'ES256' });
      const { generation: latest } = await daemon.admin.getKeySet();
      await waitFor('the others to have it', () => watches[0]?.seen.at(-1)?.keySet.generation === latest);
    }
    const [first = 0, second = 0] = generations;
    expect(second - first).toBeGreaterThanOrEqual(3);
  });

  it('leaves nothing behind when it goes', async () => {
    for (const each of watches) each.stop();
    expect(await Promise.all(watches.map(({ ended }) => ended))).toEqual(watches.map(() => undefined));
    await waitFor('no stream to be open', async () => (await openWatches()) === 0);
  });
});

it.skipIf(!HAS_PYTHON_PACKAGES)('speaks to a Python client that knows nothing but the proto files', async () => {
  const { tls } = deployment;
  const { host, port } = daemon.grpcAddress;
  const target = [`${host}:${port}`, tls.ca, tls.certificateOf('auditor'), tls.privateKeyOf('auditor')];
  const running = runPython('watch_key_set.py', [...target, PROTO_DIRECTORY, '2'], []);
  await waitFor('the stream to be open', async () => (await openWatches()) === 1);
  await daemon.admin.applySigningKey({ name: 'python-tokens', algorithm: 'ES256' });
  const [first, second] = await running;
  expect(Number(second?.['generation'])).toBeGreaterThan(Number(first?.['generation']));
  expect(second?.['kids']).toEqual(expect.arrayContaining(first?.['kids'] as string[]));
  expect(second?.['kids']).not.toEqual(first?.['kids']);
  await waitFor('it to have hung up', async () => (await openWatches()) === 0);
});

it('has 16 streams for a caller, and refuses one more', async () => {
  const client = daemon.clientOf('auth-service');
  const watches = Array.from({ length: MAX_WATCHES }, () => watch(client));
  await waitFor('all of them', () => watches.every(({ seen }) => seen.length === 1));
  expect(await watch(client).ended).toMatchObject({ reason: 'QUEUE_FULL', code: 'RESOURCE_EXHAUSTED' });
  await waitFor('them to be counted', async () => (await openWatches()) === MAX_WATCHES);
  for (const each of watches) each.stop();
  await waitFor('no stream to be open', async () => (await openWatches()) === 0);
});

it('ends the stream of a caller that another access policy denies', async () => {
  const file = join(deployment.dir, 'access-policy.yaml');
  const before = readFileSync(file, 'utf8');
  const [auditor, operator] = [watch(daemon.clientOf('auditor')), watch(daemon.clientOf('operator'))];
  await waitFor('both streams', () => [auditor, operator].every(({ seen }) => seen.length === 1));
  writeFileSync(file, before.replace('"denials": [', '"denials": [{ "callers": ["auditor"] },'));
  kill(daemon.pid, 'SIGHUP');
  const refusal = await auditor.ended;
  expect(refusal).toMatchObject({ reason: 'CALLER_DENIED', code: 'PERMISSION_DENIED' });
  expect(await watch(daemon.clientOf('auditor')).ended).toMatchObject({
    reason: 'CALLER_DENIED',
    message: (refusal as Error).message,
  });
  writeFileSync(file, before);
  kill(daemon.pid, 'SIGHUP');
  await waitFor('the policy of before', async () => {
    const again = watch(daemon.clientOf('auditor'));
    const isIn = (await Promise.race([again.ended, daemon.admin.getKeySet().then(() => undefined)])) === undefined;
    again.stop();
    return isIn;
  });
  expect(operator.seen, 'others were left alone').toHaveLength(1);
  operator.stop();
});

it('ends with the daemon, at once', async () => {
  const [auditor, admin] = [watch(daemon.clientOf('auditor')), watch(daemon.admin)];
  await waitFor('both streams', () => [auditor, admin].every(({ seen }) => seen.length === 1));
  const startMs = performance.now();
  kill(daemon.pid, 'SIGTERM');
  for (const { ended } of [auditor, admin])
    expect(await ended).toMatchObject({ reason: 'SHUTTING_DOWN', code: 'UNAVAILABLE' });
  const toldMs = performance.now() - startMs;
  expect(await daemon.stop()).toBe(0);
  const stoppedMs = performance.now() - startMs;
  process.stdout.write(`SIGTERM to the watchers: ${toldMs.toFixed(1)} ms, to the end: ${stoppedMs.toFixed(1)} ms\n`);
  expect(toldMs).toBeLessThan(PROMPT_MS);
});
