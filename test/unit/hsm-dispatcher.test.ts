/** How often a request is tried again: until its deadline, unless what it meets may be its own doing. */
import { generateKeyPairSync, sign } from 'node:crypto';
import { Duplex } from 'node:stream';
import { beforeEach, describe, expect, it } from 'vitest';
import { parseCallerName, parseCkaId } from '../../src/base/ids.ts';
import { Mutex } from '../../src/base/mutex.ts';
import { Dispatcher } from '../../src/hsm/dispatcher.ts';
import { encodeFrame, FrameReader } from '../../src/hsm/frames.ts';
import { SessionLink } from '../../src/hsm/session-link.ts';
import { SignatureChecks } from '../../src/hsm/signature-checks.ts';
import { encodeFault, parseSign, REFUSAL, REPLY, REQUEST } from '../../src/hsm/wire.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { silentLog } from '../fixtures/hsm-pool.ts';

/** What a worker does with a sign request: ends, fails with that code, doesn't find the key, or signs. */
type Deed = 'end' | 'keyMissing' | 'sign' | number;

const DEADLINE_MS = 5_000;
const STEP_MS = 10;
const CAPACITY = 8;
const GENERAL_ERROR = 0x05;
const DEVICE_ERROR = 0x30;
const BUSY = 0x201;

const { publicKey, privateKey } = generateKeyPairSync('ed25519');
const { x = '' } = publicKey.export({ format: 'jwk' });

let clock: FakeClock;
let dispatcher: Dispatcher;
/** One for each sign request to come; then every one is signed. */
let deeds: Deed[];
let link: SessionLink | undefined;

beforeEach(() => {
  clock = new FakeClock(0);
  deeds = [];
  link = undefined;
  dispatcher = new Dispatcher({
    maxQueuedRequests: CAPACITY,
    clock,
    log: silentLog,
    tokenMutex: new Mutex(),
    checks: new SignatureChecks(),
    sessions: () => {
      // A worker that ended has been replaced.
      if (link?.isOpen !== true) link = new SessionLink(worker(), clock, () => undefined);
      return [link];
    },
    faulted: () => undefined,
    suspected: () => undefined,
    proven: () => undefined,
  });
});

function worker(): Duplex {
  const reader = new FrameReader();
  const stream: Duplex = new Duplex({
    read: () => undefined,
    write(chunk: Buffer, _, done) {
      for (const { requestId, code, payload } of reader.push(chunk)) {
        const deed = code === REQUEST.find ? 'keyMissing' : (deeds.shift() ?? 'sign');
        if (deed === 'end') stream.destroy();
        else stream.push(answer(deed, requestId, payload));
      }
      done();
    },
  });
  return stream;
}

function answer(deed: Exclude<Deed, 'end'>, requestId: number, payload: Buffer): Buffer {
  if (deed === 'sign') return encodeFrame(requestId, REPLY.ok, sign(null, parseSign(payload).tokenInput, privateKey));
  if (deed === 'keyMissing') return encodeFrame(requestId, REPLY.refused, Buffer.from([REFUSAL.noSuchKey]));
  const fault = { ckr: deed, functionName: 'C_Sign', isSessionUsable: true };
  return encodeFrame(requestId, REPLY.fault, encodeFault(fault));
}

/** `signed`, or why not. */
async function ask(...met: readonly Deed[]): Promise<string> {
  deeds.push(...met);
  const outcome = dispatcher
    .sign({
      ckaId: parseCkaId('1'.repeat(32)),
      algorithm: 'Ed25519',
      signingInput: Buffer.from('input'),
      publicKey: { kty: 'OKP', crv: 'Ed25519', x },
      deadlineMs: clock.monotonicMs() + DEADLINE_MS,
      caller: parseCallerName('tester'),
      mustVerify: true,
      isCanary: false,
    })
    .then(
      () => 'signed',
      (error: unknown) => String(error),
    );
  for (let turn = 0; turn < DEADLINE_MS / STEP_MS; turn += 1) {
    await settle();
    if (dispatcher.openRequests === 0) break;
    clock.advance(STEP_MS);
    dispatcher.expire(clock.monotonicMs());
  }
  return outcome;
}

function times(count: number, deed: Deed): readonly Deed[] {
  return Array.from({ length: count }, () => deed);
}

describe('a request is signed', () => {
  it('by the fifth worker, when four have ended with it', async () => {
    expect(await ask(...times(4, 'end'))).toBe('signed');
  });

  it('after any number of failures by which the token is lost', async () => {
    expect(await ask(...times(50, DEVICE_ERROR))).toBe('signed');
  });

  it('after any number of failures that pass, with growing pauses', async () => {
    expect(await ask(...times(12, BUSY))).toBe('signed');
    expect(clock.monotonicMs() - 1_000).toBeGreaterThanOrEqual(310 + 7 * 250);
  });

  it('after two that tell nothing, however many workers have ended before', async () => {
    expect(await ask(...times(4, 'end'), GENERAL_ERROR, GENERAL_ERROR, DEVICE_ERROR)).toBe('signed');
  });
});

describe('a request fails before its deadline', () => {
  it('when a fifth worker ends with it: it must not kill them all', async () => {
    expect(await ask(...times(5, 'end'))).toContain('given up after 5 failed attempts');
    expect(clock.monotonicMs()).toBe(1_000);
  });

  it('at the third failure that tells nothing, and at the third session that lacks its key', async () => {
    expect(await ask(...times(3, GENERAL_ERROR))).toContain('C_Sign failed with CKR_GENERAL_ERROR');
    expect(await ask(...times(3, 'keyMissing'))).toContain('no single private key');
  });

  it('at once, when the failure is its own', async () => {
    expect(await ask(0x21)).toContain('CKR_DATA_LEN_RANGE');
    expect(deeds).toEqual([]);
  });
});

describe('a token that stays busy', () => {
  it('lets requests wait until their deadline, and no more of them than the queue holds', async () => {
    deeds.push(...times(10_000, BUSY));
    const outcomes = Array.from({ length: CAPACITY + 1 }, () => ask());
    await settle();
    expect(await ask()).toContain('wait for the token already');
    expect(new Set(await Promise.all(outcomes))).toEqual(
      new Set([expect.stringContaining('the token did not answer in time')]),
    );
  });
});
