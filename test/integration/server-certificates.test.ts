/** The files of the TLS listener taken up again, and connections that have to make way. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2 } from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AccessPolicy } from '../../src/access/policy.ts';
import type { Clock } from '../../src/base/clock.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import {
  createDevelopmentAuthority,
  type CertifiedKey,
  type DevelopmentAuthority,
  issueCertificate,
} from '../../src/commands/development-certificates.ts';
import { createKeyturnClient } from '../../src/client/client.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { type Servers, startServers } from '../../src/server/daemon-servers.ts';
import { HANDSHAKE_TIMEOUT_MS } from '../../src/server/tls-listener.ts';
import { FakeApplication } from '../fakes/fake-application.ts';
import { VALID } from '../fixtures/certificates.ts';
import { type LogLine, recordingLogger } from '../fixtures/recording-logger.ts';
import { issueRevocationList } from '../fixtures/revocation-list.ts';
import { speakRawHttp2 } from '../fixtures/raw-http2.ts';
import { LIMITS, TLS_LISTENER } from '../fixtures/test-servers.ts';

const LIST_FILE = 'revoked.pem';
const WITHIN = { timeout: 5_000 };

let dir: string;
let authority: DevelopmentAuthority;
let client: CertifiedKey;
let servers: Servers;
let policy: AccessPolicy;
let lines: LogLine[];
const sockets: TLSSocket[] = [];

const write = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text, { mode: 0o600 });
const issue = (dnsName: string, usage: 'client' | 'server'): Promise<CertifiedKey> =>
  issueCertificate(authority, { commonName: 'x', usage, dnsNames: [dnsName], validity: VALID });
const policyOf = (document: object): AccessPolicy =>
  parseAccessPolicy(JSON.stringify({ version: 1, callers: { c: { identities: ['dns:c.example'] } }, ...document }));

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'keyturn-tls-'));
  authority = await createDevelopmentAuthority('test CA', VALID);
  client = await issue('c.example', 'client');
  const server = await issue('localhost', 'server');
  await write('server.pem', server.certificatePem);
  await write('server.key', server.privateKeyPem);
  await write('ca.pem', authority.certificatePem);
  policy = policyOf({});
  lines = [];
});

afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  await servers.drain(500);
  await rm(dir, { recursive: true, force: true });
});

async function start(
  own: { readonly revocationListFiles?: readonly string[]; readonly maxConnectionAgeMs?: number } = {},
  clock: Clock = systemClock,
) {
  servers = await startServers({
    config: {
      file: 'keyturn.yaml',
      grpcListeners: [
        {
          ...TLS_LISTENER,
          port: 0,
          certificateFile: join(dir, 'server.pem'),
          privateKeyFile: join(dir, 'server.key'),
          clientCaFile: join(dir, 'ca.pem'),
          connectionGraceMs: 1_000,
          ...own,
        },
      ],
      http: { host: '127.0.0.1', port: 0 },
      limits: LIMITS,
    },
    app: new FakeApplication(),
    accessPolicy: () => policy,
    log: recordingLogger(lines),
    clock,
  });
}

/** Resolves when the server has spoken HTTP/2, as it does only to those whom it accepts, or has ended it. */
async function reach(tcp?: Socket): Promise<TLSSocket> {
  const { certificatePem: cert, privateKeyPem: key } = client;
  const to = tcp === undefined ? { host: '127.0.0.1', port: servers.grpcAddress?.port ?? 0 } : { socket: tcp };
  const ca = authority.certificatePem;
  const socket = connect({ ...to, servername: 'localhost', ca, cert, key, ALPNProtocols: ['h2'] });
  sockets.push(socket);
  // What the server cuts shows as a reset or as an end.
  socket.on('error', () => undefined);
  await Promise.race([once(socket, 'readable'), once(socket, 'close')]);
  return socket;
}

/** By itself it would go after a while, too: a client that answers no ping is dead. */
async function gone(socket: TLSSocket): Promise<void> {
  await expect.poll(() => socket.closed, WITHIN).toBe(true);
}

async function isAccepted(): Promise<boolean> {
  const socket = await reach();
  return !socket.destroyed && socket.readableLength > 0;
}

const refusals = (): string =>
  JSON.stringify(lines.filter(({ message }) => message === 'connection refused').map(({ fields }) => fields));

describe('a revocation list', () => {
  it('that is out of date lets nobody in and is told as an error, until there is a fresh one', async () => {
    await write(LIST_FILE, await issueRevocationList(authority, [], new Date(Date.now() - 1_000)));
    await start({ revocationListFiles: [join(dir, LIST_FILE)] });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: expect.stringContaining('out of date') as string }),
    );
    expect(await isAccepted()).toBe(false);
    await expect.poll(refusals, WITHIN).toContain('CRL_HAS_EXPIRED');
    await expect(servers.reloadTls?.()).rejects.toMatchObject({
      message: expect.stringContaining('out of date') as string,
    });
    await write(LIST_FILE, await issueRevocationList(authority));
    await servers.reloadTls?.();
    expect(await isAccepted()).toBe(true);
  });

  it('with a certificate ends its open connection at the reload, and refuses it from then on', async () => {
    await write(LIST_FILE, await issueRevocationList(authority));
    await start({ revocationListFiles: [join(dir, LIST_FILE)] });
    const open = await reach();
    open.resume();
    expect(open.destroyed).toBe(false);
    await write(LIST_FILE, await issueRevocationList(authority, [client.certificatePem]));
    await servers.reloadTls?.();
    await gone(open);
    expect(await isAccepted()).toBe(false);
    await expect.poll(refusals, WITHIN).toContain('CERT_REVOKED');
  });

  it('leaves a client that ignores the goodbye no new call on its open connection, only the end of the running one', async () => {
    await write(LIST_FILE, await issueRevocationList(authority));
    await start({ revocationListFiles: [join(dir, LIST_FILE)] });
    const socket = await reach();
    const raw = speakRawHttp2(socket);
    raw.call(1, '/grpc.health.v1.Health/Watch');
    raw.call(3, '/grpc.health.v1.Health/Check');
    await expect.poll(() => raw.answered, WITHIN).toEqual(new Set([1, 3]));
    await write(LIST_FILE, await issueRevocationList(authority, [client.certificatePem]));
    await servers.reloadTls?.();
    await expect.poll(() => raw.hasGoaway(), WITHIN).toBe(true);
    raw.call(5, '/grpc.health.v1.Health/Check');
    // Cut after the grace, though it has a call that never ends.
    await gone(socket);
    expect(raw.answered).toEqual(new Set([1, 3]));
  });

  it('ends the connection, too, whose handshake had begun before the reload, when all such are over', async () => {
    await write(LIST_FILE, await issueRevocationList(authority));
    let endLateHandshakes = (): void => undefined;
    const after: Clock['after'] = (delayMs, run) => {
      if (delayMs !== HANDSHAKE_TIMEOUT_MS) return systemClock.after(delayMs, run);
      endLateHandshakes = run;
      return () => undefined;
    };
    await start({ revocationListFiles: [join(dir, LIST_FILE)] }, { ...systemClock, after });
    const early = connectTcp({ host: '127.0.0.1', port: servers.grpcAddress?.port ?? 0 });
    await once(early, 'connect');
    // Another one is through: the daemon has seen the one before it.
    expect(await isAccepted()).toBe(true);
    await write(LIST_FILE, await issueRevocationList(authority, [client.certificatePem]));
    await servers.reloadTls?.();
    const late = await reach(early);
    expect(late.destroyed).toBe(false);
    late.resume();
    endLateHandshakes();
    await gone(late);
  });

  it('of another CA alone is refused, and what was in force stays', async () => {
    await write(LIST_FILE, await issueRevocationList(authority));
    await start({ revocationListFiles: [join(dir, LIST_FILE)] });
    const other = await createDevelopmentAuthority('other CA', VALID);
    await write(LIST_FILE, await issueRevocationList(other));
    await expect(servers.reloadTls?.()).rejects.toMatchObject({
      reason: 'CONFIG_INVALID',
      message: expect.stringContaining('grpc.tls.revocationLists: has no list of the CA CN=test CA') as string,
    });
    expect(await isAccepted()).toBe(true);
  });

  it('signed by somebody else lets nobody in', async () => {
    const impostor = await createDevelopmentAuthority('test CA', VALID);
    await write(LIST_FILE, await issueRevocationList(impostor));
    await start({ revocationListFiles: [join(dir, LIST_FILE)] });
    expect(await isAccepted()).toBe(false);
    await expect.poll(refusals, WITHIN).toContain('CRL_SIGNATURE_FAILURE');
  });
});

it('a certificate that expires ends its connection in that second', async () => {
  const notAfter = new Date(Math.ceil(Date.now() / 1_000) * 1_000 + 2_000);
  const validity = { ...VALID, notAfter };
  client = await issueCertificate(authority, { commonName: 'x', usage: 'client', dnsNames: ['c.example'], validity });
  await start();
  const open = await reach();
  expect(open.destroyed).toBe(false);
  open.resume();
  await gone(open);
  expect(Date.now()).toBeGreaterThanOrEqual(notAfter.getTime() - 50);
  expect(await isAccepted()).toBe(false);
});

it('a client CA that is taken out ends the connections of its certificates', async () => {
  await start();
  const open = await reach();
  open.resume();
  await write('ca.pem', (await createDevelopmentAuthority('new CA', VALID)).certificatePem);
  expect(await servers.reloadTls?.()).toContain('every connection is made anew');
  await gone(open);
  expect(await isAccepted()).toBe(false);
});

it('files that did not change end no connection', async () => {
  await start();
  const open = await reach();
  expect(await servers.reloadTls?.()).toBe('unchanged');
  servers.dropUnwantedCallers();
  expect(await isAccepted()).toBe(true);
  expect(open.destroyed).toBe(false);
});

it.each([
  ['does not name any more', { callers: {} }],
  ['denies everything', { denials: [{ callers: ['c'] }] }],
])('a caller whom the access policy %s loses its connections', async (_what, document) => {
  await start();
  const open = await reach();
  open.resume();
  policy = policyOf(document);
  servers.dropUnwantedCallers();
  await gone(open);
});

it('a connection that is old enough is told to make way (GOAWAY), and cut after the grace', async () => {
  await start({ maxConnectionAgeMs: 200 });
  const socket = await reach();
  const session = connectHttp2('https://localhost', { createConnection: () => socket });
  const [code] = (await once(session, 'goaway')) as [number];
  expect(code).toBe(0);
  await once(session, 'close');
});

it('a watch ends with its connection when that is old enough, as unavailable, so that its client comes again', async () => {
  await start({ maxConnectionAgeMs: 200 });
  const keyturn = createKeyturnClient({
    target: {
      address: `127.0.0.1:${servers.grpcAddress?.port}`,
      ca: authority.certificatePem,
      certificate: client.certificatePem,
      privateKey: client.privateKeyPem,
    },
  });
  const watching = keyturn.watchKeySet()[Symbol.asyncIterator]().next();
  await expect(watching).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  keyturn.close();
});
