/** What Prometheus gets from a real daemon, and what it must not get. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DaemonProcess, startDaemonProcess, waitFor } from '../fixtures/daemon-process.ts';
import { AUDIENCE, type Deployment, ISSUER, makeDeployment } from '../fixtures/deployment.ts';
import { listeningOn } from '../fixtures/proc.ts';

const CLAIMS = { iss: ISSUER, aud: AUDIENCE };
const FRESH_MS = 1_100;

let deployment: Deployment;
let daemon: DaemonProcess;
let metricsUrl: string;

beforeAll(async () => {
  deployment = await makeDeployment({ spy: false, config: { metrics: { address: '127.0.0.1:0' } } });
  daemon = await startDaemonProcess(deployment);
  metricsUrl = /"metricsUrl":"([^"]+)"/.exec(daemon.log())?.[1] ?? '';
  await daemon.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  const client = daemon.clientOf('auth-service');
  for (let count = 0; count < 5; count += 1) await client.signJwt({ signingKey: 'access-tokens', claims: CLAIMS });
  await client
    .signJwt({ signingKey: 'access-tokens', claims: { ...CLAIMS, aud: 'https://elsewhere.example' } })
    .catch(() => undefined);
  await client.signJwt({ signingKey: 'made-up-by-a-caller', claims: CLAIMS }).catch(() => undefined);
  await client.rotate({ signingKey: 'access-tokens' }).catch(() => undefined);
});

afterAll(async () => {
  await daemon.stop();
  await deployment.dispose();
});

/** A text that is newer than this call. */
async function scrape(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, FRESH_MS));
  const response = await fetch(`${metricsUrl}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(response.headers.get('cache-control')).toBe('no-store');
  return response.text();
}

function valueOf(text: string, series: string): number | undefined {
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

describe('metrics', () => {
  it('have a listener of their own, and nothing else listens', () => {
    const ports = [daemon.httpUrl, metricsUrl].map((url) => `tcp:${new URL(url).port}`);
    const expected = [...ports, `tcp:${daemon.grpcAddress.port}`, `unix:${deployment.adminSocket}`];
    expect(listeningOn(daemon.pid)).toEqual(expected.toSorted());
  });

  it('are not on the public listener, and the key set is not on theirs', async () => {
    expect((await fetch(`${daemon.httpUrl}/metrics`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/.well-known/jwks.json`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/metrics`, { method: 'POST' })).status).toBe(405);
  });

  it('count what was asked, by outcome', async () => {
    await fetch(`${daemon.httpUrl}/.well-known/jwks.json`);
    const text = await scrape();
    expect(valueOf(text, 'keyturn_sign_requests_total{reason="OK"}')).toBe(5);
    expect(valueOf(text, 'keyturn_sign_requests_total{reason="CLAIM_NOT_PERMITTED"}')).toBe(1);
    expect(valueOf(text, 'keyturn_sign_requests_total{reason="SIGNING_KEY_NOT_PERMITTED"}')).toBe(1);
    expect(valueOf(text, 'keyturn_jwts_signed_total{signing_key="access-tokens"}')).toBe(5);
    expect(valueOf(text, 'keyturn_sign_duration_seconds_count')).toBe(5);
    const method = 'method="/keyturn.v1.SigningService/SignJwt"';
    expect(valueOf(text, `keyturn_grpc_requests_total{${method},code="OK"}`)).toBe(5);
    expect(valueOf(text, `keyturn_grpc_requests_total{${method},code="PERMISSION_DENIED"}`)).toBe(2);
    // Refused before its handler: counted once all the same.
    const rotate = 'method="/keyturn.v1.KeyAdminService/Rotate"';
    expect(valueOf(text, `keyturn_grpc_requests_total{${rotate},code="PERMISSION_DENIED"}`)).toBe(1);
    expect(valueOf(text, 'keyturn_http_requests_total{status="200"}')).toBeGreaterThan(0);
    expect(valueOf(text, 'keyturn_store_commit_duration_seconds_count')).toBeGreaterThan(3);
  });

  it('say how the signing key, the key set and the token stand', async () => {
    const text = await scrape();
    const key = '{signing_key="access-tokens"}';
    expect(valueOf(text, `keyturn_signing_key_ready${key}`)).toBe(1);
    expect(valueOf(text, `keyturn_propagated_standbys${key}`)).toBe(2);
    expect(valueOf(text, `keyturn_active_version_age_seconds${key}`)).toBeGreaterThan(0);
    expect(valueOf(text, `keyturn_active_version_age_seconds${key}`)).toBeLessThan(120);
    expect(valueOf(text, `keyturn_exp_ceiling_distance_seconds${key}`)).toBeGreaterThan(
      valueOf(text, `keyturn_max_jwt_lifetime_seconds${key}`) ?? Number.NaN,
    );
    expect(valueOf(text, 'keyturn_key_set_published_versions{key_set="default"}')).toBe(3);
    expect(valueOf(text, 'keyturn_key_set_unserved_seconds{key_set="default"}')).toBeLessThan(5);
    expect(valueOf(text, 'keyturn_token_state{state="ready"}')).toBe(1);
    expect(valueOf(text, 'keyturn_hsm_workers{state="ready"}')).toBe(2);
    expect(valueOf(text, 'process_resident_memory_bytes')).toBeGreaterThan(1e7);
    expect(valueOf(text, 'nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
    const notAfter = valueOf(text, 'keyturn_tls_certificate_not_after_timestamp_seconds') ?? 0;
    expect(notAfter * 1_000).toBeGreaterThan(Date.now());
  });

  it('hold no PIN, no kid, no claim, no caller and nothing that a caller made up', async () => {
    const text = await scrape();
    const { keys } = (await (await fetch(`${daemon.httpUrl}/.well-known/jwks.json`)).json()) as {
      keys: { kid: string }[];
    };
    expect(keys.length).toBeGreaterThan(0);
    const pin = readFileSync(deployment.token.pinFile, 'utf8').trim();
    for (const secret of [pin, ...keys.map(({ kid }) => kid), 'example', 'auth-service', 'made-up-by-a-caller'])
      expect(text).not.toContain(secret);
  });

  it('count a worker that was killed', async () => {
    const [victim = 0] = await daemon.workerPids();
    process.kill(victim, 'SIGKILL');
    await waitFor('the restart is counted', async () => {
      const text = await scrape();
      return (
        valueOf(text, 'keyturn_hsm_worker_restarts_total') === 1 &&
        valueOf(text, 'keyturn_hsm_workers{state="ready"}') === 2
      );
    });
  });
});
