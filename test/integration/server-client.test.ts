/** The typed client's own behaviour: waiting, closing, and a policy that changes under an open connection. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { createKeyturnClient } from '../../src/client/client.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

const claims = { iss: 'https://issuer.example', aud: 'https://api.example' };
let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
  await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
});
afterAll(() => test.dispose());
afterEach(() => {
  test.app.gate = undefined;
});

describe('without a daemon', () => {
  it('fails soon, and names the address', async () => {
    const client = createKeyturnClient({ target: { unixSocket: '/nonexistent/admin.sock' } });
    const startedMs = performance.now();
    await expect(client.getTokenStatus()).rejects.toMatchObject({
      reason: 'DAEMON_UNREACHABLE',
      message: expect.stringContaining('unix:/nonexistent/admin.sock') as string,
    });
    expect(performance.now() - startedMs).toBeLessThan(3_000);
    client.close();
  });

  it('waits for one up to the deadline when asked to', async () => {
    const client = createKeyturnClient({ target: { unixSocket: '/nonexistent/admin.sock' }, waitForReady: true });
    const startedMs = performance.now();
    await expect(client.getTokenStatus({ deadlineMs: 600 })).rejects.toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
    expect(performance.now() - startedMs).toBeGreaterThan(500);
    client.close();
  });
});

function hasCall(bytes: Buffer): boolean {
  const HEADERS = 1;
  for (let at = PREFACE_BYTES; at + FRAME_HEAD_BYTES <= bytes.length; at += FRAME_HEAD_BYTES + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === HEADERS) return true;
  return false;
}
const PREFACE_BYTES = 24;
const FRAME_HEAD_BYTES = 9;

/**
 * Connections to the daemon's socket of which the first ones break HTTP/2 as soon as the client has asked: a reset of a
 * stream that nobody opened (RFC 9113, 5.1), which is the client's own error to Node, and no answer of the daemon.
 */
async function breakFirst(count: number): Promise<{ readonly socket: string; readonly close: () => Promise<void> }> {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-client-'));
  const settings = Buffer.from('000000040000000000', 'hex');
  const reset = Buffer.from('00000403000000ffff00000000', 'hex');
  let left = count;
  const server = createServer((connection) => {
    connection.on('error', () => undefined);
    if (left === 0) {
      const daemon = connect(test.adminSocket).on('error', () => undefined);
      connection.pipe(daemon).pipe(connection);
      return;
    }
    left -= 1;
    connection.write(settings);
    let received = Buffer.alloc(0);
    connection.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (hasCall(received)) connection.write(reset);
    });
  });
  const socket = join(dir, 'socket');
  await once(server.listen(socket), 'listening');
  return {
    socket,
    async close() {
      server.close();
      await rm(dir, { recursive: true });
    },
  };
}

describe('a connection that breaks on the client’s side', () => {
  it('costs no call that may be done twice', async () => {
    const { socket, close } = await breakFirst(2);
    const client = createKeyturnClient({ target: { unixSocket: socket } });
    await client.getTokenStatus();
    client.close();
    await close();
  });

  it('fails one that may not, with a reason of its own', async () => {
    const { socket, close } = await breakFirst(1);
    const client = createKeyturnClient({ target: { unixSocket: socket } });
    await expect(client.retryLogin({ reason: 'test' })).rejects.toMatchObject({
      reason: 'DAEMON_UNREACHABLE',
      message: expect.stringContaining('broke') as string,
    });
    client.close();
    await close();
  });
});

it('refuses files that are missing or are not PEM, by field', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-client-'));
  const { caFile } = test.authority;
  const { certificateFile, privateKeyFile } = test.authority.server;
  const address = test.address;
  const make =
    (target: Parameters<typeof createKeyturnClient>[0]['target']): (() => unknown) =>
    () =>
      createKeyturnClient({ target });
  const reason = (name: string, field: string): Error =>
    expect.objectContaining({ reason: name, details: expect.objectContaining({ field }) as object }) as Error;
  const none = join(dir, 'none');
  expect(make({ address, caFile: none, certificateFile, privateKeyFile })).toThrow(reason('FIELD_INVALID', 'caFile'));
  expect(make({ address, caFile, certificateFile, privateKeyFile: none })).toThrow(
    reason('SECRET_FILE_UNREADABLE', 'privateKeyFile'),
  );
  expect(make({ address, caFile, certificate: 'no', privateKeyFile })).toThrow(reason('FIELD_INVALID', 'target'));
  await rm(dir, { recursive: true });
});

it('after close every call fails with one reason, and what was in flight ends', async () => {
  const leaf = await test.authority.issueClient('closing', { dnsNames: ['auth-service.example'] });
  const client = test.connect(leaf);
  let open: () => void = () => undefined;
  test.app.gate = new Promise((resolve) => {
    open = resolve;
  });
  const { length } = test.app.asked;
  const inFlight = client.signJwt({ signingKey: 'access-tokens', claims });
  await expect.poll(() => test.app.asked.length).toBe(length + 1);
  client.close();
  client.close();
  await expect(client.getKeySet()).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  open();
  expect((await inFlight).kid).toHaveLength(43);
});

it('a caller that the access policy drops loses its open connection’s rights at once', async () => {
  await test.signer.signJwt({ signingKey: 'access-tokens', claims });
  test.replaceAccessPolicy(parseAccessPolicy(JSON.stringify({ version: 1, callers: {}, grants: [] })));
  await expect(test.signer.signJwt({ signingKey: 'access-tokens', claims })).rejects.toMatchObject({
    reason: 'CALLER_UNKNOWN',
    message: expect.stringContaining('dns:auth-service.example') as string,
  });
});

describe('as the access policy now says', () => {
  const callers = { 'auth-service': { identities: ['dns:auth-service.example'] } };
  const grants = [
    {
      role: 'signer',
      callers: ['auth-service'],
      signingKeys: ['access-tokens'],
      claims: { iss: ['https://issuer.example'], aud: ['https://api.example'], maxLifetime: '1h' },
    },
  ];
  const replace = (document: object): void => {
    test.replaceAccessPolicy(parseAccessPolicy(JSON.stringify({ version: 1, callers, grants, ...document })));
  };

  it('a denied caller may not even ask for a key set, and is told so', async () => {
    replace({ denials: [{ callers: ['auth-service'] }] });
    for (const call of [test.signer.signJwt({ signingKey: 'access-tokens', claims }), test.signer.getKeySet()])
      await expect(call).rejects.toMatchObject({ reason: 'CALLER_DENIED', code: 'PERMISSION_DENIED' });
  });

  it('a caller that calls too often is told how long to wait, over all its connections', async () => {
    const identities = ['dns:auth-service.example', 'dns:auth-too.example'];
    replace({ callers: { 'auth-service': { identities, rateLimit: { maxRequestsPerSecond: 1, burst: 3 } } } });
    const leaf = await test.authority.issueClient('auth-too', { dnsNames: ['auth-too.example'] });
    const clients = [test.signer, test.connect(leaf)];
    const calls = await Promise.allSettled(
      Array.from({ length: 20 }).flatMap(() => clients.map((client) => client.getKeySet())),
    );
    expect(calls.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThanOrEqual(3);
    const refusals = calls.filter((call) => call.status === 'rejected').map(({ reason }) => reason as unknown);
    expect(refusals.length).toBeGreaterThan(0);
    for (const refusal of refusals) {
      expect(refusal).toMatchObject({
        reason: 'RATE_LIMITED',
        code: 'RESOURCE_EXHAUSTED',
        details: { retryAfterMs: expect.toSatisfy((ms: number) => ms > 0 && ms <= 1_000) as number },
      });
    }
  });
});
