/** The syslog sender against servers of this process: over TCP, a Unix stream and TLS. */
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { toSyslogFrame } from '../../src/audit/sinks/syslog-message.ts';
import { SyslogSender } from '../../src/audit/sinks/syslog-sender.ts';
import { connectTo, parseSyslogTarget, type SyslogTarget } from '../../src/audit/sinks/syslog-target.ts';
import type { Clock } from '../../src/base/clock.ts';
import type { Logger } from '../../src/base/logger.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { makeLog } from '../fixtures/audit-log.ts';
import { createTestAuthority, type LeafFiles } from '../fixtures/certificates.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';

const ORIGIN = { hostName: 'signer-1.example', processId: 4711 };
const LINES = makeLog({ entries: 60, checkpointEvery: 20 }).lines.map((line) => Buffer.from(line).toString('utf8'));
const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

/** What a receiver makes of octet-counted frames. */
class Receiver {
  readonly messages: string[] = [];
  readonly sockets: Socket[] = [];
  #rest = Buffer.alloc(0);
  #waiting: { readonly count: number; readonly resolve: () => void } | undefined;

  take(socket: Socket): void {
    this.sockets.push(socket);
    socket
      .on('error', () => undefined)
      .on('data', (data) => {
        this.#rest = Buffer.concat([this.#rest, data]);
        for (;;) {
          const blank = this.#rest.indexOf(' ');
          const end = blank + 1 + Number(this.#rest.subarray(0, Math.max(0, blank)).toString());
          if (blank < 0 || this.#rest.length < end) break;
          this.messages.push(this.#rest.subarray(blank + 1, end).toString('utf8'));
          this.#rest = this.#rest.subarray(end);
        }
        if (this.messages.length >= (this.#waiting?.count ?? Number.POSITIVE_INFINITY)) this.#waiting?.resolve();
      });
  }

  async received(count: number): Promise<readonly string[]> {
    if (this.messages.length < count)
      await new Promise<void>((resolve) => {
        this.#waiting = { count, resolve };
      });
    return this.messages;
  }
}

async function listen(server: Server, at: { readonly port: number } | { readonly path: string }): Promise<AddressInfo> {
  server.listen('path' in at ? at : { ...at, host: '127.0.0.1' });
  await once(server, 'listening');
  return server.address() as AddressInfo;
}

interface SenderParts {
  readonly clock?: Clock;
  readonly log?: Logger;
}

/** Its connections end with the test. */
function makeSender(target: SyslogTarget, { clock = systemClock, log = silentLog }: SenderParts = {}): SyslogSender {
  return new SyslogSender({
    connect: (ready) => {
      const socket = connectTo(target, ready);
      closers.push(() => socket.destroy());
      return socket;
    },
    clock,
    log,
  });
}

async function sendAll(sender: SyslogSender, lines: readonly string[]): Promise<void> {
  for (const line of lines) await sender.send(toSyslogFrame(line, ORIGIN));
}

describe('a syslog message', () => {
  it('has the form of RFC 5424, its length before it, and the line as it is in the log', () => {
    const line = '{"seq":7,"time":"2026-01-31T12:00:00.000Z","kind":"CALL","comment":"“drill”"}';
    const message = `<109>1 2026-01-31T12:00:00.000Z signer-1.example keyturn 4711 CALL - ${line}`;
    expect(toSyslogFrame(line, ORIGIN).toString('utf8')).toBe(`${Buffer.byteLength(message)} ${message}`);
  });

  it('has no host name of which a receiver could make another field', () => {
    expect(toSyslogFrame('{}', { ...ORIGIN, hostName: 'a b\n' }).toString('utf8')).toBe(
      '30 <110>1 - - keyturn 4711 - - {}',
    );
  });
});

describe('where a syslog server listens', () => {
  it.each([
    ['tls://logs.example:6514', { kind: 'tls', host: 'logs.example', port: 6_514, ca: 'PEM' }],
    ['tcp://[::1]:601', { kind: 'tcp', host: '::1', port: 601 }],
    ['unix:/run/log.sock', { kind: 'unix', path: '/run/log.sock' }],
  ])('is read from %s', (text, target) => {
    expect(parseSyslogTarget(text, '--to', 'PEM')).toEqual(target);
  });

  it.each([
    '',
    'logs.example:514',
    'udp://logs.example:514',
    'tcp://logs.example',
    'tcp://a:0',
    'tcp://a:65536',
    'unix:x',
  ])('is not %j', (text) => {
    expect(() => parseSyslogTarget(text, '--to', undefined)).toThrow('--to must be tls://HOST:PORT');
  });
});

describe('the syslog sender', () => {
  it.each(['tcp', 'unix', 'tls'] as const)('sends every entry in order over %s', async (kind) => {
    const directory = makeDirectory();
    const { caFile, server: leaf } = await createTestAuthority(directory);
    const receiver = new Receiver();
    const server = kind === 'tls' ? makeTlsServer(leaf, receiver) : makeServer(receiver);
    const unixPath = path.join(directory, 's');
    const { port } = await listen(server, kind === 'unix' ? { path: unixPath } : { port: 0 });
    const to = { tcp: `tcp://127.0.0.1:${port}`, tls: `tls://127.0.0.1:${port}`, unix: `unix:${unixPath}` }[kind];
    await sendAll(makeSender(parseSyslogTarget(to, '--to', readFileSync(caFile, 'utf8'))), LINES);
    const messages = await receiver.received(LINES.length);
    expect(messages.map((message) => message.slice(message.indexOf(' - ') + 3))).toEqual(LINES);
  });

  it('waits for a server that went away, however long, and goes on', async () => {
    const receiver = new Receiver();
    const { port } = await listen(makeServer(receiver), { port: 0 });
    const clock = new FakeClock(0);
    const lost = Promise.withResolvers<void>();
    const said: string[] = [];
    const log = {
      ...silentLog,
      info: (_: object, message: string) => said.push(message),
      warn: (_: object, message: string) => {
        said.push(message);
        lost.resolve();
      },
    };
    const sender = makeSender({ kind: 'tcp', host: '127.0.0.1', port }, { clock, log });
    await sendAll(sender, LINES.slice(0, 5));
    await receiver.received(5);
    receiver.sockets[0]?.destroy();
    await lost.promise;
    await sendAll(sender, LINES.slice(5, 20));
    await receiver.received(20);
    expect(receiver.sockets).toHaveLength(2);
    expect(said).toEqual([
      'the syslog server takes no audit entries; they wait in the files',
      'the syslog server takes audit entries again',
    ]);
  });

  it('tries again with growing pauses, and says so once', async () => {
    const clock = new FakeClock(0);
    const tries: number[] = [];
    const said: string[] = [];
    const log = { ...silentLog, warn: (_: object, message: string) => said.push(message) };
    const sender = new SyslogSender({
      connect: () => {
        tries.push(clock.monotonicMs());
        return connectTo({ kind: 'unix', path: '/nowhere/at/all' }, () => undefined);
      },
      clock,
      log,
    });
    void sender.send(Buffer.from('x'));
    while (tries.length < 6) await clock.advanceAsync(250, 250);
    const pauses = tries.slice(1).map((atMs, index) => atMs - (tries[index] ?? 0));
    for (const [index, pause] of pauses.entries()) expect(pause).toBeGreaterThanOrEqual(500 * 2 ** index);
    expect(said).toHaveLength(1);
  });

  it('goes on only when the connection has taken what was sent before: nothing piles up', async () => {
    const receiver = new Receiver();
    const server = closedAtEnd(createServer((socket) => receiver.sockets.push(socket.resume())));
    const { port } = await listen(server, { port: 0 });
    const sockets: Socket[] = [];
    const sender = new SyslogSender({
      connect: (ready) => {
        const socket = connectTo({ kind: 'tcp', host: '127.0.0.1', port }, ready);
        sockets.push(socket);
        closers.push(() => socket.destroy());
        return socket;
      },
      clock: systemClock,
      log: silentLog,
    });
    for (let count = 0; count < 16; count += 1) {
      await sender.send(Buffer.alloc(1024 * 1024));
      expect(sockets[0]?.writableLength).toBe(0);
    }
  });

  it('sends nothing to a server whose certificate is not by the CA', async () => {
    const directory = makeDirectory();
    const { server: leaf } = await createTestAuthority(directory);
    const { caFile } = await createTestAuthority(directory, 'other');
    const receiver = new Receiver();
    const { port } = await listen(makeTlsServer(leaf, receiver), { port: 0 });
    const refused = Promise.withResolvers<unknown>();
    const log = { ...silentLog, warn: (fields: object) => refused.resolve(fields) };
    const ca = readFileSync(caFile, 'utf8');
    const sender = makeSender({ kind: 'tls', host: '127.0.0.1', port, ca }, { clock: new FakeClock(0), log });
    void sender.send(toSyslogFrame(LINES[0] ?? '', ORIGIN));
    expect(await refused.promise).toMatchObject({ err: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' } });
    expect(receiver.messages).toEqual([]);
  });
});

function makeDirectory(): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'keyturn-syslog-'));
  closers.push(() => rmSync(directory, { recursive: true }));
  return directory;
}

function makeServer(receiver: Receiver): Server {
  return closedAtEnd(createServer((socket) => receiver.take(socket)));
}

function makeTlsServer({ certificateFile, privateKeyFile }: LeafFiles, receiver: Receiver): Server {
  const secrets = { cert: readFileSync(certificateFile), key: readFileSync(privateKeyFile) };
  return closedAtEnd(createTlsServer(secrets, (socket) => receiver.take(socket)));
}

function closedAtEnd(server: Server): Server {
  closers.push(() => new Promise((resolve) => server.close(resolve)));
  return server;
}
