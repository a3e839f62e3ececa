/**
 * A token that lives in a process of its own (p11-kit's server over SoftHSM2), killed and restarted, stopped and continued,
 * while callers sign: they wait, and get what they asked for. `npm run soak -- --token p11-kit` does it again and again.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose';
import { afterEach, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { endProcesses, setUpToken, signalProcess, type TestToken } from '../tokens/set-up.ts';

const IN_FLIGHT = 64;
const CONNECTIONS = 4;
/** Allows for either outage. */
const DEADLINE_MS = 15_000;
const NAME = 'access-tokens';

const cleanups: (() => unknown)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setUp(): Promise<TestToken> {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-p11-kit-'));
  cleanups.push(() => rm(dir, { recursive: true, force: true }));
  const token = await setUpToken('p11-kit', dir);
  // A server that was brought back has another id.
  cleanups.push(async () => endProcesses((await setUpToken('p11-kit', dir)).processes));
  return token;
}

async function start({ config, label }: TestToken): Promise<DaemonProcess> {
  const { moduleFile: module, pinFile, environment } = config;
  const deployment = await makeDeployment({
    spy: false,
    config: { token: { module, label, pinFile, environment, signTimeout: '1s' } },
  });
  cleanups.push(() => deployment.dispose());
  const daemon = await startDaemonProcess(deployment);
  cleanups.push(() => daemon.stop());
  return daemon;
}

interface Answer {
  readonly sub: string;
  readonly jwt: string;
  readonly askedAtMs: number;
  readonly answeredAtMs: number;
}

/** So many in flight until it is stopped; each JWT has a `sub` of its own. */
function startLoad(daemon: DaemonProcess): { readonly answers: readonly Answer[]; stop(): Promise<void> } {
  const clients = Array.from({ length: CONNECTIONS }, () => daemon.clientOf('auth-service'));
  const answers: Answer[] = [];
  const stopping = new AbortController();
  const call = async (lane: number): Promise<void> => {
    for (let turn = 0; !stopping.signal.aborted; turn += 1) {
      const sub = `${lane}.${turn}`;
      const askedAtMs = performance.now();
      const claims = { iss: ISSUER, aud: AUDIENCE, sub };
      const signed = await clients[lane % CONNECTIONS]?.signJwt(
        { signingKey: NAME, claims },
        { deadlineMs: DEADLINE_MS },
      );
      answers.push({ sub, jwt: signed?.jwt ?? '', askedAtMs, answeredAtMs: performance.now() });
    }
  };
  const running = Promise.all(Array.from({ length: IN_FLIGHT }, (_, lane) => call(lane)));
  // Whoever stops it learns of a failure; nobody else has to.
  running.catch(() => undefined);
  return {
    answers,
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

it('every request gets its JWT through a kill and a restart of the token server, a stop and a continuation', async ({
  annotate,
}) => {
  const token = await setUp();
  const daemon = await start(token);
  await daemon.admin.applySigningKey({ name: NAME, algorithm: 'ES256' });
  const load = startLoad(daemon);
  cleanups.push(() => load.stop().catch(() => undefined));

  /** Until a request that was made afterwards has its JWT, in ms. */
  const signsAgain = async (what: string): Promise<void> => {
    const endMs = performance.now();
    const isAnswered = (): boolean => load.answers.some(({ askedAtMs }) => askedAtMs >= endMs);
    await waitFor(`a JWT after ${what}`, isAnswered, DEADLINE_MS);
    const first = load.answers.find(({ askedAtMs }) => askedAtMs >= endMs);
    await annotate(`signs ${Math.round((first?.answeredAtMs ?? Number.NaN) - endMs)} ms after ${what}`);
  };
  await signsAgain('the start of the load');

  for (const each of token.processes) signalProcess(each, 'SIGKILL');
  await waitFor('the token to be missed', async () => (await daemon.admin.getTokenStatus()).state !== 'READY');
  const { processes } = await setUpToken(token.name, token.dir);
  await signsAgain('its restart');

  const { workerRestarts } = await daemon.admin.getTokenStatus();
  for (const each of processes) signalProcess(each, 'SIGSTOP');
  cleanups.push(() => {
    for (const each of processes) signalProcess(each, 'SIGCONT');
  });
  const isHung = async (): Promise<boolean> => (await daemon.admin.getTokenStatus()).workerRestarts > workerRestarts;
  await waitFor('a worker to be taken for hung', isHung);
  for (const each of processes) signalProcess(each, 'SIGCONT');
  await signsAgain('its continuation');

  await load.stop();
  const jwks = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as JSONWebKeySet;
  const keySet = createLocalJWKSet(jwks);
  for (const { jwt, sub } of load.answers)
    await jwtVerify(jwt, keySet, { issuer: ISSUER, audience: AUDIENCE, subject: sub });
  expect(load.answers.length).toBeGreaterThan(3 * IN_FLIGHT);
  const slowestMs = Math.max(...load.answers.map(({ askedAtMs, answeredAtMs }) => answeredAtMs - askedAtMs));
  await annotate(`${load.answers.length} JWTs, the slowest after ${Math.round(slowestMs)} ms`);
});
