/** Starting all or nothing, Unix sockets, health and the ordered drain. */
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ClientReadableStream, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath } from 'grpc-health-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseCallerName } from '../../src/base/ids.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import type { GrpcListenerConfig } from '../../src/config/config.ts';
import { type Servers, startServers } from '../../src/server/daemon-servers.ts';
import { listenUnix } from '../../src/server/unix-listener.ts';
import { recordingLogger } from '../fixtures/recording-logger.ts';
import { LIMITS, TLS_LISTENER, startTestServers, type TestServers } from '../fixtures/test-servers.ts';

const CALLER = parseCallerName('admin');
const claims = { iss: 'https://issuer.example', aud: 'https://api.example' };
const ports = { log: recordingLogger([]), onConnection: () => undefined };

async function listenOn(path: string): Promise<void> {
  await once(createServer().listen(path).unref(), 'listening');
}

describe('a Unix socket', () => {
  let dir: string;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'keyturn-unix-'));
  });
  afterEach(() => rm(dir, { recursive: true, force: true }));

  it('is born 0600 in a directory of its own, and goes when the listener stops', async () => {
    const path = join(dir, 'run', 'admin.sock');
    const listener = await listenUnix({ kind: 'unix', path, caller: CALLER }, ports);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, 'run'))).mode & 0o777).toBe(0o700);
    await listener.stop();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('of a daemon that died is replaced', async () => {
    const path = join(dir, 'dead.sock');
    const { spawnSync } = await import('node:child_process');
    spawnSync('/usr/bin/python3', ['-c', `import socket; socket.socket(socket.AF_UNIX).bind(${JSON.stringify(path)})`]);
    expect((await stat(path)).isSocket()).toBe(true);
    const listener = await listenUnix({ kind: 'unix', path, caller: CALLER }, ports);
    await listener.stop();
  });

  it.each([
    ['another process answers', (path: string) => listenOn(path), 'another process answers'],
    ['a file is in the way', (path: string) => writeFile(path, ''), 'not a socket'],
    ['the directory is open to others', async (path: string) => chmod(join(path, '..'), 0o750), 'open to other users'],
    ['the directory above does not exist', async () => undefined, "directory can't be made", 'no/such/dir/x.sock'],
    ['the path is too long', async () => undefined, 'longer than 107 bytes', `${'x'.repeat(100)}.sock`],
  ] as const)('is refused when %s', async (_why, prepare, message, name = 'x.sock') => {
    const path = join(dir, name);
    await prepare(path);
    await expect(listenUnix({ kind: 'unix', path, caller: CALLER }, ports)).rejects.toMatchObject({
      reason: 'ADDRESS_UNAVAILABLE',
      message: expect.stringContaining(message) as string,
    });
  });
});

it('starts all or nothing: one address that is taken, and nothing listens', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keyturn-start-'));
  const running = await startTestServers();
  const path = join(dir, 'admin.sock');
  const start = (grpcListeners: readonly GrpcListenerConfig[]): Promise<Servers> =>
    startServers({
      config: { file: 'keyturn.yaml', grpcListeners, http: { host: '127.0.0.1', port: 0 }, limits: LIMITS },
      app: running.app,
      accessPolicy: () => {
        throw new Error('nobody calls');
      },
      log: recordingLogger([]),
      clock: systemClock,
    });
  const { servers, authority } = running;
  const tls = { ...TLS_LISTENER, ...authority.server, clientCaFile: authority.caFile };
  await expect(
    start([
      { kind: 'unix', path, caller: CALLER },
      { ...tls, port: servers.grpcAddress?.port ?? 0 },
    ]),
  ).rejects.toMatchObject({
    reason: 'ADDRESS_UNAVAILABLE',
    details: { subject: `127.0.0.1:${servers.grpcAddress?.port}` },
  });
  await expect(stat(path)).rejects.toThrow('ENOENT');
  await expect(start([{ ...tls, port: 0, privateKeyFile: join(dir, 'none') }])).rejects.toMatchObject({
    reason: 'SECRET_FILE_UNREADABLE',
  });
  await expect(start([{ ...tls, port: 0, certificateFile: tls.privateKeyFile }])).rejects.toMatchObject({
    reason: 'CONFIG_INVALID',
  });
  await mkdir(join(dir, 'keys'));
  await writeFile(join(dir, 'keys', 'open.key'), 'x', { mode: 0o644 });
  await expect(start([{ ...tls, port: 0, privateKeyFile: join(dir, 'keys', 'open.key') }])).rejects.toMatchObject({
    reason: 'SECRET_FILE_EXPOSED',
  });
  await running.dispose();
  await rm(dir, { recursive: true });
});

describe('health and drain', () => {
  const methods = loadSync(protoPath, { enums: String, defaults: true })['grpc.health.v1.Health'] as unknown as Record<
    'Check' | 'Watch' | 'List',
    {
      path: string;
      requestSerialize: (value: object) => Buffer;
      responseDeserialize: (bytes: Buffer) => { status: string; statuses: Record<string, { status: string }> };
    }
  >;
  let test: TestServers;
  let health: Client;
  beforeEach(async () => {
    test = await startTestServers();
    health = new Client(`unix:${test.adminSocket}`, credentials.createInsecure());
    await test.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
  });
  afterEach(async () => {
    health.close();
    await test.dispose();
  });

  const ask = (
    name: 'Check' | 'List',
    request: object,
  ): Promise<{ status: string; statuses: Record<string, { status: string }> }> =>
    new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = methods[name];
      health.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, (error, answer) => {
        if (error === null && answer !== undefined) resolve(answer);
        else reject(error ?? new Error('no answer'));
      });
    });
  const watch = (
    service: string,
  ): { stream: ClientReadableStream<{ status: string }>; seen: string[]; ended: Promise<ServiceError> } => {
    const { path, requestSerialize, responseDeserialize } = methods.Watch;
    const stream = health.makeServerStreamRequest(path, requestSerialize, responseDeserialize, { service });
    const seen: string[] = [];
    stream.on('data', (answer: { status: string }) => seen.push(answer.status));
    const ended = new Promise<ServiceError>((resolve) => {
      stream.on('error', resolve);
    });
    return { stream, seen, ended };
  };

  it('tells liveness under the empty name and readiness for each signing key', async () => {
    expect(await ask('Check', { service: '' })).toMatchObject({ status: 'SERVING' });
    expect(await ask('Check', { service: 'signing-key/access-tokens' })).toMatchObject({ status: 'SERVING' });
    test.app.notReady.add('access-tokens');
    expect(await ask('Check', { service: 'signing-key/access-tokens' })).toMatchObject({ status: 'NOT_SERVING' });
    expect((await ask('List', {})).statuses).toMatchObject({
      '': { status: 'SERVING' },
      'signing-key/access-tokens': { status: 'NOT_SERVING' },
    });
    await expect(ask('Check', { service: 'signing-key/none' })).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('tells watchers of each change once, also for a signing key that comes later', async () => {
    const late = watch('signing-key/late');
    const known = watch('signing-key/access-tokens');
    await expect.poll(() => [late.seen.length, known.seen.length]).toEqual([1, 1]);
    test.app.notReady.add('access-tokens');
    test.app.notifyReadiness();
    test.app.notifyReadiness();
    await test.admin.applySigningKey({ name: 'late', algorithm: 'ES256' });
    await expect
      .poll(() => [late.seen, known.seen])
      .toEqual([
        ['SERVICE_UNKNOWN', 'SERVING'],
        ['SERVING', 'NOT_SERVING'],
      ]);
    late.stream.cancel();
    known.stream.cancel();
    await Promise.all([late.ended, known.ended]);
  });

  it('drains in order: watchers first, running calls end, new ones are refused, and HTTP goes last', async () => {
    const watcher = watch('');
    await expect.poll(() => watcher.seen).toEqual(['SERVING']);
    let open: () => void = () => undefined;
    test.app.gate = new Promise((resolve) => {
      open = resolve;
    });
    const running = test.signer.signJwt({ signingKey: 'access-tokens', claims });
    await expect.poll(() => test.app.asked.at(-1)?.caller).toBe('auth-service');
    const startedMs = performance.now();
    const drained = test.servers.drain(5_000);
    expect(await watcher.ended).toMatchObject({ code: status.UNAVAILABLE });
    expect(watcher.seen).toEqual(['SERVING', 'NOT_SERVING']);
    await expect(test.signer.signJwt({ signingKey: 'access-tokens', claims })).rejects.toMatchObject({
      code: 'UNAVAILABLE',
    });
    expect((await fetch(`${test.servers.httpUrl}/.well-known/jwks.json`)).status).toBe(200);
    open();
    expect((await running).jwt.split('.')).toHaveLength(3);
    await drained;
    expect(performance.now() - startedMs).toBeLessThan(4_000);
    await expect(fetch(`${test.servers.httpUrl}/healthz`)).rejects.toThrow('fetch failed');
    await expect(stat(test.adminSocket)).rejects.toThrow('ENOENT');
  });

  it('cuts what takes longer than the grace', async () => {
    test.app.gate = new Promise(() => undefined);
    const stuck = test.signer.signJwt({ signingKey: 'access-tokens', claims }).catch((error: unknown) => error);
    await expect.poll(() => test.app.asked.at(-1)?.caller).toBe('auth-service');
    const startedMs = performance.now();
    await test.servers.drain(300);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(299);
    expect(performance.now() - startedMs).toBeLessThan(2_000);
    expect(await stuck).toMatchObject({ code: 'UNAVAILABLE' });
  });
});
