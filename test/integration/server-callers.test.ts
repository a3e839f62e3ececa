/** Who gets in, who is refused, and what a caller may ask for. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect as connectHttp2, constants } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { METHOD_RULES } from '../../src/access/methods.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { createKeyturnClient } from '../../src/client/client.ts';
import { createTestAuthority, EXPIRED, type LeafFiles } from '../fixtures/certificates.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

let test: TestServers;
beforeAll(async () => {
  test = await startTestServers();
});
afterAll(() => test.dispose());

const WITHIN_MS = 2_000;

async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    if (error instanceof KeyturnError) return error.reason;
    throw error;
  }
}

function tlsOptions(leaf?: LeafFiles): ConnectionOptions {
  const own =
    leaf === undefined ? {} : { cert: readFileSync(leaf.certificateFile), key: readFileSync(leaf.privateKeyFile) };
  return {
    host: '127.0.0.1',
    port: Number(test.address.split(':')[1]),
    ca: readFileSync(test.authority.caFile),
    ALPNProtocols: ['h2'],
    servername: 'localhost',
    ...own,
  };
}

async function refusalLogged(text: string): Promise<void> {
  await expect
    .poll(
      () =>
        test.lines
          .filter(({ message }) => message === 'connection refused')
          .map(({ fields }) => JSON.stringify(fields)),
      { timeout: WITHIN_MS },
    )
    .toContainEqual(expect.stringContaining(text));
}

/** Resolves when the server has cut the connection. */
async function cutOff(socket: Socket): Promise<void> {
  // Whether the client sees an alert, a reset or the end is up to timing.
  socket.on('error', () => undefined);
  socket.resume();
  await expect.poll(() => socket.closed, { timeout: WITHIN_MS }).toBe(true);
}

describe('a connection is refused and noted', () => {
  it('when the client speaks plain text', async () => {
    const socket = connectTcp({ host: '127.0.0.1', port: Number(test.address.split(':')[1]) });
    socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    await cutOff(socket);
    await refusalLogged('does not speak TLS');
  });

  it('when the client shows no certificate', async () => {
    await cutOff(connectTls(tlsOptions()));
    await refusalLogged('sent no certificate');
  });

  it('when the certificate has expired', async () => {
    const expired = await test.authority.issueClient('expired', {
      dnsNames: ['auth-service.example'],
      validity: EXPIRED,
    });
    expect(await reasonOf(test.connect(expired).getKeySet())).toBe('DAEMON_UNREACHABLE');
    await refusalLogged('CERT_HAS_EXPIRED');
  });

  it('when the certificate is of another CA', async () => {
    const other = await createTestAuthority(test.dir, 'other');
    const stranger = await other.issueClient('stranger', { dnsNames: ['auth-service.example'] });
    expect(await reasonOf(test.connect(stranger).getKeySet())).toBe('DAEMON_UNREACHABLE');
    await refusalLogged('not accepted');
  });

  it('when a server certificate is shown as a client certificate', async () => {
    expect(await reasonOf(test.connect(test.authority.server).getKeySet())).toBe('DAEMON_UNREACHABLE');
    await refusalLogged('not accepted: INVALID_PURPOSE');
  });

  it('when the client speaks TLS 1.2', async () => {
    await cutOff(
      connectTls({
        ...tlsOptions(await test.authority.issueClient('old', { dnsNames: ['auth-service.example'] })),
        maxVersion: 'TLSv1.2',
      }),
    );
    await refusalLogged('does not speak TLS 1.3');
  });

  it('when the client does not offer HTTP/2', async () => {
    const leaf = await test.authority.issueClient('no-alpn', { dnsNames: ['auth-service.example'] });
    const { ALPNProtocols: _left, ...options } = tlsOptions(leaf);
    await cutOff(connectTls(options));
    await refusalLogged('does not offer HTTP/2');
  });

  it('when the certificate names two callers, or none', async () => {
    const two = await test.authority.issueClient('two', { dnsNames: ['auth-service.example', 'auditor.example'] });
    expect(await reasonOf(test.connect(two).getKeySet())).toBe('DAEMON_UNREACHABLE');
    await refusalLogged('2 names of type SAN DNS name');
    const none = await test.authority.issueClient('auth-service.example', {});
    expect(await reasonOf(test.connect(none).getKeySet())).toBe('DAEMON_UNREACHABLE');
    await refusalLogged('no SAN DNS name');
  });
});

it('resumes no TLS session: every connection shows its certificate', async () => {
  const leaf = await test.authority.issueClient('resuming', { dnsNames: ['auth-service.example'] });
  const first = connectTls(tlsOptions(leaf));
  let session: Buffer | undefined;
  first.on('session', (ticket) => {
    session = ticket;
  });
  await once(first, 'secureConnect');
  const quiet = connectHttp2('https://localhost', { createConnection: () => first });
  await once(quiet, 'remoteSettings');
  quiet.destroy();
  const second = connectTls({ ...tlsOptions(leaf), ...(session === undefined ? {} : { session }) });
  await once(second, 'secureConnect');
  expect(second.isSessionReused()).toBe(false);
  second.destroy();
});

it('gives each connection its own caller', async () => {
  const auditor = test.connect(await test.authority.issueClient('auditor', { dnsNames: ['Auditor.example'] }));
  expect(await reasonOf(auditor.getTokenStatus())).toBe('OK');
  expect(await reasonOf(test.signer.getTokenStatus())).toBe('METHOD_NOT_PERMITTED');
  expect(await reasonOf(auditor.getTokenStatus())).toBe('OK');
  expect(test.lines.filter(({ message }) => message === 'request refused').map(({ fields }) => fields)).toContainEqual(
    expect.objectContaining({
      method: '/keyturn.v1.TokenService/GetTokenStatus',
      caller: 'dns:auth-service.example',
      reason: 'METHOD_NOT_PERMITTED',
    }),
  );
});

it('accepts the daemon only under the name that its certificate has', async () => {
  const leaf = await test.authority.issueClient('choosy', { dnsNames: ['auth-service.example'] });
  const target = { address: test.address, caFile: test.authority.caFile, ...leaf };
  for (const [serverName, reason] of [
    ['localhost', 'METHOD_NOT_PERMITTED'],
    ['elsewhere', 'DAEMON_UNREACHABLE'],
  ] as const) {
    const client = createKeyturnClient({ target: { ...target, serverName } });
    expect(await reasonOf(client.getTokenStatus())).toBe(reason);
    client.close();
  }
});

describe('a method', () => {
  const call = (client: Client, path: string): Promise<number> =>
    new Promise((resolve) => {
      const stream = client.makeBidiStreamRequest(
        path,
        (bytes: Buffer) => bytes,
        (bytes: Buffer) => bytes,
        { deadline: Date.now() + WITHIN_MS },
      );
      stream.on('error', (error: ServiceError) => {
        resolve(error.code);
      });
      stream.on('data', () => undefined);
      stream.on('end', () => undefined);
      stream.on('status', ({ code }) => {
        resolve(code);
      });
      stream.end(Buffer.alloc(0));
    });
  const ssl = ({ certificateFile, privateKeyFile }: LeafFiles): Client =>
    new Client(
      test.address,
      credentials.createSsl(
        readFileSync(test.authority.caFile),
        readFileSync(privateKeyFile),
        readFileSync(certificateFile),
      ),
      {
        'grpc.ssl_target_name_override': 'localhost',
      },
    );

  it('of any name is refused with CALLER_UNKNOWN when the policy does not name the caller', async () => {
    const client = ssl(await test.authority.issueClient('nobody', { dnsNames: ['nobody.example'] }));
    for (const path of [...Object.keys(METHOD_RULES), '/keyturn.v1.SigningService/SignBytes']) {
      expect([path, await call(client, path)]).toEqual([path, status.UNAUTHENTICATED]);
    }
    client.close();
  });

  it('that does not exist is UNIMPLEMENTED for a known caller', async () => {
    const client = ssl(await test.authority.issueClient('known', { dnsNames: ['auth-service.example'] }));
    expect(await call(client, '/keyturn.v1.SigningService/SignBytes')).toBe(status.UNIMPLEMENTED);
    expect(await call(client, '/x')).toBe(status.UNIMPLEMENTED);
    client.close();
  });

  it('of every rule is allowed or refused as the table says', async () => {
    const client = ssl(await test.authority.issueClient('table', { dnsNames: ['auth-service.example'] }));
    for (const [path, { allow }] of Object.entries(METHOD_RULES)) {
      const code = await call(client, path);
      const mayCall = allow === 'anyCaller' || allow.includes('signer');
      expect([path, status[code] === 'PERMISSION_DENIED']).toEqual([path, !mayCall]);
    }
    client.close();
  });
});

it('answers what is not gRPC without falling over', async () => {
  const leaf = await test.authority.issueClient('raw', { dnsNames: ['auth-service.example'] });
  const session = connectHttp2('https://localhost', { createConnection: () => connectTls(tlsOptions(leaf)) });
  const ask = async (headers: Record<string, string>, body?: Buffer): Promise<Record<string, unknown>> => {
    const stream = session.request(
      { ':method': 'POST', ':path': '/keyturn.v1.SigningService/SignJwt', ...headers },
      { endStream: body === undefined },
    );
    stream.on('error', () => undefined);
    stream.resume();
    if (body !== undefined) stream.end(body);
    const [answer] = (await once(stream, 'response', { signal: AbortSignal.timeout(WITHIN_MS) })) as [
      Record<string, unknown>,
    ];
    return answer;
  };
  const grpc = { 'content-type': 'application/grpc' };
  expect((await ask({}))[constants.HTTP2_HEADER_STATUS]).toBe(415);
  const garbage = await ask(grpc, Buffer.from([0, 0, 0, 0, 3, 0xff, 0xff, 0xff]));
  expect(garbage['grpc-status']).toBe(String(status.INVALID_ARGUMENT));
  expect(garbage['grpc-status-details-bin']).toBeDefined();
  expect((await ask({ ...grpc, 'grpc-timeout': 'soon' }))['grpc-status']).toBe(String(status.INVALID_ARGUMENT));
  expect((await ask({ ...grpc, 'grpc-encoding': 'snappy' }, Buffer.from([1, 0, 0, 0, 1, 1])))['grpc-status']).toBe(
    String(status.INVALID_ARGUMENT),
  );
  session.destroy();
  expect(await reasonOf(test.admin.getTokenStatus())).toBe('OK');
});

it('survives clients that break off, reset and send garbage', async () => {
  const leaf = await test.authority.issueClient('noise', { dnsNames: ['auth-service.example'] });
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
  for (let round = 0; round < 30; round += 1) {
    const socket = connectTls(tlsOptions(leaf));
    socket.on('error', () => undefined);
    socket.resume();
    await once(socket, 'secureConnect');
    // By turns: nothing, a preface, a preface with settings; then noise, or not.
    socket.write(Buffer.concat([preface, settings].slice(0, round % 3)));
    if (round % 2 === 0) socket.write(randomBytes(1 + 37 * round));
    if (round % 5 === 0) socket.destroy();
    else socket.end();
  }
  expect(await reasonOf(test.signer.getTokenStatus())).toBe('METHOD_NOT_PERMITTED');
});

describe.each([
  ['spiffe', { uris: ['spiffe://example/auth-service'], dnsNames: ['other.example', 'auditor.example'] }],
  ['cn', { commonName: 'auth-service', dnsNames: ['auditor.example'] }],
] as const)('a listener for %s names', (kind, names) => {
  it('looks at that type alone', async () => {
    const servers = await startTestServers(kind);
    try {
      const client = servers.connect(await servers.authority.issueClient('client', names));
      await servers.admin.applySigningKey({ name: 'access-tokens', algorithm: 'ES256' });
      await client.signJwt({ signingKey: 'access-tokens', claims: {} });
      expect(servers.app.asked.at(-1)?.caller).toBe('auth-service');
    } finally {
      await servers.dispose();
    }
  });
});
