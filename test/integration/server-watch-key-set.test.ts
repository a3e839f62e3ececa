/** WatchKeySet over real connections to a fake application: what ends a stream, and what a slow or rude caller gets. */
import { readFileSync } from 'node:fs';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { KeySet } from '../../src/client/client.ts';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import type { LeafFiles } from '../fixtures/certificates.ts';
import { waitFor } from '../fixtures/daemon-process.ts';
import { startTestServers, type TestServers } from '../fixtures/test-servers.ts';

const MAX_WATCHES = 16;
const WITHIN = { timeout: 5_000 };
/** Far less than what a drain waits for calls that don't end. */
const PROMPT_MS = 2_000;

let test: TestServers;
const sessions: ClientHttp2Session[] = [];
beforeEach(async () => {
  test = await startTestServers();
});
afterEach(async () => {
  for (const session of sessions.splice(0)) session.destroy();
  await test.dispose();
});

const publish = (name: string) => test.admin.applySigningKey({ name, algorithm: 'ES256' });

interface Followed {
  readonly seen: number[];
  readonly stop: AbortController;
  readonly first: Promise<void>;
  /** With the failure, or undefined. */
  readonly ended: Promise<unknown>;
}

function follow(keySets: AsyncIterable<KeySet>, stop = new AbortController()): Followed {
  const seen: number[] = [];
  const first = Promise.withResolvers<void>();
  const reading = async (): Promise<unknown> => {
    try {
      for await (const { generation } of keySets) {
        seen.push(generation);
        first.resolve();
      }
      return undefined;
    } catch (thrown) {
      return thrown;
    }
  };
  return { seen, stop, first: first.promise, ended: reading() };
}

function watch(client = test.signer, keySet?: string): Followed {
  const stop = new AbortController();
  return follow(client.watchKeySet({ keySet }, { signal: stop.signal }), stop);
}

it('answers with the snapshot of now, the same as GetKeySet, and then with each that follows', async () => {
  const waiting = watch(test.admin);
  await publish('first');
  const values: KeySet[] = [];
  for await (const value of test.signer.watchKeySet()) {
    values.push(value);
    if (values.length === 2) break;
    await publish('second');
  }
  expect(values[1]).toEqual(await test.signer.getKeySet());
  expect(values.map(({ generation, maxAgeMs }) => [generation, maxAgeMs])).toEqual([
    [1, 300_000],
    [2, 300_000],
  ]);
  await expect.poll(() => waiting.seen, WITHIN).toEqual([1, 2]);
  waiting.stop.abort();
  expect(await waiting.ended, 'what the caller ends is no failure').toBeUndefined();
  const late = follow(test.signer.watchKeySet({}, { signal: AbortSignal.abort() }));
  expect([await late.ended, late.seen]).toEqual([undefined, []]);
});

it('ends when the key set is withheld, with the same answer as GetKeySet, and refuses one that there is not', async () => {
  await publish('first');
  const followed = watch();
  await expect.poll(() => followed.seen, WITHIN).toEqual([1]);
  test.app.withholdKeySet('default');
  const refusal: unknown = await test.signer.getKeySet().catch((thrown: unknown) => thrown);
  const { message, details } = refusal as { message: string; details: { rule: string } };
  expect(await followed.ended).toMatchObject({ reason: 'KEY_SET_WITHHELD', message, details: { rule: details.rule } });
  expect(await watch().ended).toMatchObject({ reason: 'KEY_SET_WITHHELD' });
  expect(await watch(test.signer, 'nowhere').ended).toMatchObject({ reason: 'KEY_SET_NOT_FOUND' });
  expect(await watch(test.signer, '../x').ended).toMatchObject({ reason: 'FIELD_INVALID' });
});

it('ends at its deadline, also while it waits for a first generation', async () => {
  const waiting = follow(test.signer.watchKeySet({}, { deadlineMs: 200 }));
  expect(await waiting.ended).toMatchObject({ reason: 'DEADLINE_EXCEEDED' });
});

async function* firstOf<T>(values: AsyncIterable<T>): AsyncIterable<T> {
  for await (const value of values) {
    yield value;
    break;
  }
}

/** Opens as many streams as a caller may have; each as soon as there is room, which a stream takes a moment to leave. */
async function openAll(): Promise<Followed[]> {
  const streams: Followed[] = [];
  await waitFor('room for all streams', async () => {
    const followed = watch();
    const refusal = await Promise.race([followed.ended, followed.first]);
    if (refusal === undefined) streams.push(followed);
    else expect(refusal).toMatchObject({ reason: 'QUEUE_FULL' });
    return streams.length === MAX_WATCHES;
  });
  return streams;
}

it('refuses the 17th stream of a caller, and takes the next when one of them is gone, however it went', async () => {
  await publish('first');
  const streams = await openAll();
  expect(await watch().ended).toMatchObject({ reason: 'QUEUE_FULL', code: 'RESOURCE_EXHAUSTED' });
  const other = watch(test.admin);
  await expect.poll(() => other.seen, WITHIN).toEqual([1]);
  for (const { stop } of streams) stop.abort();
  await Promise.all(streams.map(({ ended }) => ended));

  // Cancelled at every moment of a call's life.
  for (let round = 0; round < 300; round += 1) {
    const short = watch();
    for (let turn = 0; turn < round % 7; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    short.stop.abort();
    await short.ended;
  }
  // A loop that is left ends its call.
  for (let round = 0; round <= MAX_WATCHES; round += 1) {
    const once = follow(firstOf(test.signer.watchKeySet()));
    expect([await once.ended, once.seen]).toEqual([undefined, [1]]);
  }
  // Their connections are lost, with and without something that they haven't read.
  const leaf = await test.authority.issueClient('auth-service', { dnsNames: ['auth-service.example'] });
  for (const initialWindowSize of [0, 0, 1_000_000, 1_000_000]) {
    const { session, stream } = callRaw(leaf, initialWindowSize);
    await new Promise((resolve) => stream.once('response', resolve));
    session.destroy();
  }
  for (const { stop } of await openAll()) stop.abort();
});

it('ends with what a new call would be refused with, when another access policy denies the caller or forgets it', async () => {
  await publish('first');
  const [signer, admin] = [watch(), watch(test.admin)];
  const leaf = await test.authority.issueClient('auth-service', { dnsNames: ['auth-service.example'] });
  const { session, generations } = callRaw(leaf, 1_000_000);
  await expect.poll(generations, WITHIN).toEqual([1]);
  await expect.poll(() => [signer.seen, admin.seen], WITHIN).toEqual([[1], [1]]);
  const callers = { admin: { identities: ['unix:admin'] }, s: { identities: ['dns:auth-service.example'] } };
  const replace = (document: object): void => {
    test.replaceAccessPolicy(parseAccessPolicy(JSON.stringify({ version: 1, ...document })));
    test.servers.dropUnwantedCallers();
  };
  replace({ callers });
  await publish('second').catch(() => undefined);
  expect((await test.signer.getKeySet()).generation, 'a caller that stays is left alone').toBe(1);
  replace({ callers, denials: [{ callers: ['s'] }] });
  expect(await signer.ended).toMatchObject({ reason: 'CALLER_DENIED', code: 'PERMISSION_DENIED' });
  await expect.poll(() => session.closed, { ...WITHIN, message: 'its connection is cut' }).toBe(true);
  expect(test.lines.map(({ fields }) => fields)).toContainEqual(
    expect.objectContaining({ reason: 'CALLER_DENIED', method: '/keyturn.v1.KeySetService/WatchKeySet' }),
  );
  replace({ callers: {} });
  expect(await admin.ended).toMatchObject({ reason: 'CALLER_UNKNOWN', code: 'UNAUTHENTICATED' });
});

it('ends at once when the daemon stops, and holds up nothing', async () => {
  await publish('first');
  const streams = [watch(), watch(), watch(test.admin)];
  await expect.poll(() => streams.every(({ seen }) => seen.length === 1), WITHIN).toBe(true);
  const startedMs = performance.now();
  await test.servers.drain(60_000);
  expect(performance.now() - startedMs).toBeLessThan(PROMPT_MS);
  for (const { ended } of streams) expect(await ended).toMatchObject({ reason: 'SHUTTING_DOWN', code: 'UNAVAILABLE' });
});

it('is open at once, though its first message has to wait for the first generation', async () => {
  const leaf = await test.authority.issueClient('auth-service', { dnsNames: ['auth-service.example'] });
  const { stream, generations } = callRaw(leaf, 1_000_000);
  await new Promise((resolve) => stream.once('response', resolve));
  expect(generations()).toEqual([]);
  await publish('first');
  await expect.poll(generations, WITHIN).toEqual([1]);
});

it('leaves a client that reads nothing one message, and after that the latest', async () => {
  await publish('first');
  const { session, stream, generations } = callRaw(
    await test.authority.issueClient('auth-service', { dnsNames: ['auth-service.example'] }),
    // Not a byte of an answer's messages may be sent.
    0,
  );
  await new Promise((resolve) => stream.once('response', resolve));
  for (const name of ['second', 'third', 'fourth', 'fifth']) await publish(name);
  expect(generations()).toEqual([]);
  session.settings({ initialWindowSize: 1_000_000 });
  await expect.poll(generations, WITHIN).toEqual([1, 5]);
});

/** WatchKeySet for the key set `default` by bare HTTP/2, since no library lets its flow control be played with. */
function callRaw(
  leaf: LeafFiles,
  initialWindowSize: number,
): {
  readonly session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  readonly generations: () => number[];
} {
  const session = connect(`https://${test.address}`, {
    ca: readFileSync(test.authority.caFile),
    cert: readFileSync(leaf.certificateFile),
    key: readFileSync(leaf.privateKeyFile),
    servername: 'localhost',
    settings: { initialWindowSize },
  });
  sessions.push(session);
  const stream = session.request({
    [constants.HTTP2_HEADER_METHOD]: 'POST',
    [constants.HTTP2_HEADER_PATH]: '/keyturn.v1.KeySetService/WatchKeySet',
    [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
    [constants.HTTP2_HEADER_TE]: 'trailers',
  });
  stream.end(Buffer.alloc(5));
  let bytes = Buffer.alloc(0);
  stream.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk]);
  });
  return { session, stream, generations: () => splitMessages(bytes).map(generationOf) };
}

function splitMessages(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  for (let at = 0; at + 5 <= bytes.length; ) {
    const endsAt = at + 5 + bytes.readUInt32BE(at + 1);
    if (endsAt > bytes.length) break;
    messages.push(bytes.subarray(at + 5, endsAt));
    at = endsAt;
  }
  return messages;
}

/** Field 2, a varint below 128, behind field 1, the key set's name. */
function generationOf(message: Buffer): number {
  const at = 2 + message.readUInt8(1);
  expect(message.readUInt8(at)).toBe(0x10);
  return message.readUInt8(at + 1);
}
