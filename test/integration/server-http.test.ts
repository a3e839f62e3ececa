/** The JWKS over HTTP, as verifiers, caches, browsers and bad clients meet it. */
import { once } from 'node:events';
import { Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/system-clock.ts';
import { listenHttp } from '../../src/server/http/http-server.ts';
import { createJwksHandler } from '../../src/server/http/jwks-handler.ts';
import { FakeApplication } from '../fakes/fake-application.ts';
import { parseCallerName } from '../../src/base/ids.ts';
import { recordingLogger } from '../fixtures/recording-logger.ts';

const app = new FakeApplication();
const serve = () =>
  listenHttp(
    { host: '127.0.0.1', port: 0 },
    { handler: createJwksHandler(app), clock: systemClock, log: recordingLogger([]) },
  );
let server: Awaited<ReturnType<typeof serve>>;
beforeAll(async () => {
  server = await serve();
});
afterAll(() => server.drain(0));

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  path: string,
  {
    method = 'GET',
    headers = {},
    url = server.url,
  }: { method?: string; headers?: Record<string, string>; url?: string } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      `${url}${path}`,
      { method, headers, agent: new Agent({ keepAlive: false }) },
      (response) => {
        let body = '';
        response.setEncoding('utf8').on('data', (chunk: string) => {
          body += chunk;
        });
        response.on('end', () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
        });
      },
    );
    sent.on('error', reject);
    sent.end();
  });
}

describe('before the key set has content', () => {
  it('answers 404 that no cache keeps', async () => {
    const { status, headers, body } = await ask('/.well-known/jwks.json');
    expect(status).toBe(404);
    expect(headers).toMatchObject({
      'cache-control': 'no-store',
      'content-type': 'application/json; charset=utf-8',
      'access-control-allow-origin': '*',
    });
    expect(JSON.parse(body)).toMatchObject({ error: 'KEY_SET_NOT_FOUND' });
    expect(headers.etag).toBeUndefined();
  });

  it('answers 503 that no cache keeps while nobody knows what belongs into it', async () => {
    app.withheldKeySets.add('default');
    const { status, headers, body } = await ask('/.well-known/jwks.json');
    app.withheldKeySets.clear();
    expect(status).toBe(503);
    expect(headers).toMatchObject({ 'cache-control': 'no-store', 'access-control-allow-origin': '*' });
    expect(JSON.parse(body)).toMatchObject({ error: 'KEY_SET_WITHHELD' });
  });

  it('is alive all the same', async () => {
    expect(await ask('/healthz')).toMatchObject({
      status: 200,
      body: '{"status":"ok"}',
      headers: { 'cache-control': 'no-store' },
    });
  });
});

describe('with a key set', () => {
  let etag: string;
  beforeAll(async () => {
    await app.applySigningKey(parseCallerName('admin'), {
      name: 'access-tokens',
      keySet: '',
      algorithm: 'ES256',
      rsaBits: 0,
      lifecyclePolicy: {},
      etag: '',
      validateOnly: false,
      reason: '',
      deadlineMs: undefined,
    });
    etag = app.findKeySet('default')?.etag ?? '';
  });

  it.each(['/.well-known/jwks.json', '/default/jwks.json', '/.well-known/jwks.json?cache=buster'])(
    'serves it at %s',
    async (path) => {
      const { status, headers, body } = await ask(path);
      expect(status).toBe(200);
      expect(body).toBe(app.findKeySet('default')?.body.toString());
      expect(headers).toMatchObject({
        etag,
        'cache-control': 'public, max-age=300',
        'content-type': 'application/jwk-set+json',
        'content-length': String(Buffer.byteLength(body)),
        'access-control-allow-origin': '*',
        'x-content-type-options': 'nosniff',
      });
    },
  );

  it('HEAD has the headers of GET and no body', async () => {
    const get = await ask('/.well-known/jwks.json');
    const head = await ask('/.well-known/jwks.json', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, body: '' });
    expect({ ...head.headers, date: '' }).toEqual({ ...get.headers, date: '' });
  });

  it.each(['ETAG', 'W/ETAG', '"other", ETAG', '"a,b" , W/ETAG', '*'])(
    'answers 304 to If-None-Match: %s',
    async (value) => {
      const { status, headers, body } = await ask('/.well-known/jwks.json', {
        headers: { 'if-none-match': value.replace('ETAG', etag) },
      });
      expect([status, body]).toEqual([304, '']);
      expect(headers).toMatchObject({
        etag,
        'cache-control': 'public, max-age=300',
        'access-control-allow-origin': '*',
      });
      expect(headers['content-length']).toBeUndefined();
    },
  );

  it.each(['"other"', 'ETAGx'.replace('ETAG', ''), '', '"*"'])('answers 200 to If-None-Match: %s', async (value) => {
    expect((await ask('/.well-known/jwks.json', { headers: { 'if-none-match': value } })).status).toBe(200);
  });

  it('answers the new key set as soon as there is one', async () => {
    const before = await ask('/.well-known/jwks.json');
    await app.applySigningKey(parseCallerName('admin'), {
      name: 'second',
      keySet: '',
      algorithm: 'Ed25519',
      rsaBits: 0,
      lifecyclePolicy: {},
      etag: '',
      validateOnly: false,
      reason: '',
      deadlineMs: undefined,
    });
    const after = await ask('/.well-known/jwks.json', { headers: { 'if-none-match': before.headers.etag ?? '' } });
    expect(after.status).toBe(200);
    expect(after.headers.etag).not.toBe(before.headers.etag);
  });

  it.each(['POST', 'PUT', 'DELETE', 'PATCH'])('refuses %s and says what it takes', async (method) => {
    const { status, headers } = await ask('/.well-known/jwks.json', { method });
    expect(status).toBe(405);
    expect(headers).toMatchObject({ allow: 'GET, HEAD, OPTIONS', 'cache-control': 'no-store' });
  });

  it('answers a browser preflight', async () => {
    const { status, headers } = await ask('/.well-known/jwks.json', {
      method: 'OPTIONS',
      headers: { origin: 'https://app.example', 'access-control-request-method': 'GET' },
    });
    expect(status).toBe(204);
    expect(headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, HEAD, OPTIONS',
      'access-control-allow-headers': '*',
    });
  });

  it.each([
    '/',
    '/jwks.json',
    '/unknown/jwks.json',
    '/Default/jwks.json',
    '/../jwks.json',
    '//jwks.json',
    '/default/jwks.json/',
    '/__proto__/jwks.json',
    '/%64efault/jwks.json',
  ])('answers 404 without caching at %s', async (path) => {
    expect(await ask(path)).toMatchObject({ status: 404, headers: { 'cache-control': 'no-store' } });
  });
});

describe('a bad client', () => {
  const raw = async (text: string, waitMs: number): Promise<string> => {
    const socket = connect({ host: '127.0.0.1', port: Number(new URL(server.url).port) });
    socket.on('error', () => undefined);
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.write(text);
    await once(socket, 'close', { signal: AbortSignal.timeout(waitMs) });
    return answer;
  };

  it('with headers beyond the limit gets 431', async () => {
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(10_000)}\r\n\r\n`, 2_000)).toContain(' 431 ');
  });

  it('that speaks something else gets 400', async () => {
    expect(await raw('\x16\x03\x01\x02\x00\x01', 2_000)).toContain(' 400 ');
  });

  const HIDDEN = 'GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n';
  it.each([
    ['two lengths', `GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\ncontent-length: ${HIDDEN.length}\r\n\r\n`],
    [
      'a length beside chunks',
      'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'an encoding that is not chunked at its end',
      'GET / HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked, x\r\n\r\n0\r\n\r\n',
    ],
    ['white space before a colon', 'GET / HTTP/1.1\r\nhost: x\r\ncontent-length : 5\r\n\r\n'],
    ['a length with a sign', 'GET / HTTP/1.1\r\nhost: x\r\ncontent-length: +5\r\n\r\n'],
    ['a line break alone in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx: y\rz: 1\r\n\r\n'],
    ['NUL in a header', 'GET / HTTP/1.1\r\nhost: x\r\nx: \0\r\n\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
  ])('that hides a request behind another, by %s, gets 400 and nothing else', async (_how, text) => {
    const answer = await raw(text + HIDDEN, 5_000);
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/^HTTP\/1\.1/gm)).toHaveLength(1);
    expect(answer).not.toContain('"status":"ok"');
  });

  it.each(['TRACE', 'CONNECT', 'PROPFIND', 'get'])('gets nothing of its own back by %s', async (method) => {
    const answer = await raw(
      `${method} /healthz HTTP/1.1\r\nhost: x\r\nx-secret: s3cret\r\nconnection: close\r\n\r\n`,
      5_000,
    );
    expect(answer).not.toContain('s3cret');
    expect(answer).not.toContain('"status":"ok"');
  });

  it('learns nothing about the server from its headers', async () => {
    const { headers } = await ask('/healthz');
    expect(Object.keys(headers).toSorted()).toEqual([
      'access-control-allow-origin',
      'cache-control',
      'connection',
      'content-length',
      'content-type',
      'date',
      'x-content-type-options',
    ]);
  });

  it('that never finishes its headers is cut off', async () => {
    const startedMs = performance.now();
    await raw('GET / HTTP/1.1\r\nhost: x\r\n', 10_000);
    expect(performance.now() - startedMs).toBeLessThan(8_000);
  });
});

it('drains: idle connections end at once, and the address is free again', async () => {
  const second = await serve();
  const agent = new Agent({ keepAlive: true });
  await new Promise<void>((resolve, reject) => {
    httpRequest(`${second.url}/healthz`, { agent }, (response) => {
      response.resume().on('end', resolve);
    })
      .on('error', reject)
      .end();
  });
  const startedMs = performance.now();
  await Promise.all([second.drain(5_000), second.drain(5_000)]);
  expect(performance.now() - startedMs).toBeLessThan(2_000);
  agent.destroy();
  const again = await listenHttp(
    { host: '127.0.0.1', port: Number(new URL(second.url).port) },
    { handler: createJwksHandler(app), clock: systemClock, log: recordingLogger([]) },
  );
  await again.drain(0);
});

it('says which address is taken', async () => {
  const { port } = new URL(server.url);
  const taken = listenHttp(
    { host: '127.0.0.1', port: Number(port) },
    { handler: createJwksHandler(app), clock: systemClock, log: recordingLogger([]) },
  );
  await expect(taken).rejects.toMatchObject({
    reason: 'ADDRESS_UNAVAILABLE',
    message: `can't listen on 127.0.0.1:${port}: EADDRINUSE`,
  });
});
