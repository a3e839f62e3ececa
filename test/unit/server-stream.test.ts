/** How an answer is streamed to a caller who reads slowly, or not at all. */
import { Writable } from 'node:stream';
import type { ServerWritableStream, StatusObject } from '@grpc/grpc-js';
import { expect, it } from 'vitest';
import { parseAccessPolicy } from '../../src/config/access-policy-document.ts';
import { CallPolicy } from '../../src/server/grpc/call-policy.ts';
import { RateLimiter } from '../../src/server/grpc/rate-limiter.ts';
import { serverStream, type StreamContext } from '../../src/server/grpc/server-stream.ts';
import { BoundedLog } from '../../src/server/telemetry/bounded-log.ts';
import { FakeApplication } from '../fakes/fake-application.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { recordingLogger } from '../fixtures/recording-logger.ts';

const STALL_MS = 30_000;
const POLICY = parseAccessPolicy(JSON.stringify({ version: 1, callers: { admin: { identities: ['unix:admin'] } } }));

/** A call as grpc-js gives it to a handler, with a caller who takes a message when the test says so. */
class FakeCall extends Writable {
  readonly request = {};
  readonly sent: number[] = [];
  status: StatusObject | undefined;
  #taken: (() => void) | undefined;

  constructor() {
    super({ objectMode: true });
    this.on('error', (status: unknown) => {
      this.status = status as StatusObject;
    });
  }

  getPath(): string {
    return '/keyturn.v1.KeySetService/WatchKeySet';
  }

  override _write(message: number, _encoding: BufferEncoding, callback: () => void): void {
    this.sent.push(message);
    this.#taken = callback;
  }

  take(): void {
    this.#taken?.();
  }
}

function start(): { clock: FakeClock; call: FakeCall; asked: () => number; stream: () => StreamContext | undefined } {
  const clock = new FakeClock(0);
  const policy = new CallPolicy({
    identify: () => ({ kind: 'unix', name: 'admin' }),
    accessPolicy: () => POLICY,
    requests: new BoundedLog(clock, recordingLogger([])),
    rateLimiter: new RateLimiter(clock),
  });
  let asked = 0;
  let stream: StreamContext | undefined;
  async function* count(): AsyncIterable<number> {
    for (;;) yield (asked += 1);
  }
  const handler = serverStream<object, number>(
    { app: new FakeApplication(), clock, policy, audit: undefined },
    (_, own) => {
      stream = own;
      return count();
    },
  );
  const call = new FakeCall();
  handler(call as unknown as ServerWritableStream<object, number>);
  return { clock, call, asked: () => asked, stream: () => stream };
}

it('asks for the next message when the one before is on its way, so that nothing queues', async () => {
  const { call, asked } = start();
  await settle();
  expect([call.sent, asked()]).toEqual([[1], 1]);
  call.take();
  await settle();
  expect([call.sent, asked()]).toEqual([[1, 2], 2]);
});

it('ends a caller who reads nothing for 30 s, counted from each message; it is not gone yet', async () => {
  const { clock, call, asked, stream } = start();
  await settle();
  clock.advance(STALL_MS - 1);
  call.take();
  await settle();
  clock.advance(STALL_MS - 1);
  await settle();
  expect(call.status).toBeUndefined();
  clock.advance(1);
  await settle();
  expect(call.status).toMatchObject({ details: 'the caller read nothing for 30 s' });
  expect(asked()).toBe(2);
  expect(stream()?.closed.aborted).toBe(false);
  call.destroy();
  await settle();
  expect(stream()?.closed.aborted).toBe(true);
});

it('asks for nothing more when the caller is gone', async () => {
  const { clock, call, asked, stream } = start();
  await settle();
  call.destroy();
  await settle();
  expect(stream()?.closed.aborted).toBe(true);
  expect(asked()).toBe(1);
  clock.advance(STALL_MS);
  await settle();
  expect(call.status).toBeUndefined();
});
