/** Both sides of the frames between daemon and HSM worker: a stream of any bytes, and payloads of any content. */
import fc from 'fast-check';
import { parseCkaId } from '../../src/base/ids.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { encodeFrame, type Frame, FrameError, FrameReader, MAX_PAYLOAD_BYTES } from '../../src/hsm/frames.ts';
import * as wire from '../../src/hsm/wire.ts';
import { mutatedBytes } from './mutations.ts';
import { ACCEPTED, pureTarget, require } from './target.ts';

const CKA_ID = parseCkaId('00112233445566778899aabbccddeeff');
const TOKEN = { label: 'a', serial: 'b', manufacturer: 'c', model: 'd', firmwareVersion: '1.0' };
const PAYLOADS = [
  wire.encodeFault({ ckr: 0x30, functionName: 'C_Sign', isSessionUsable: true }),
  Buffer.concat([wire.encodeSignHead(7, CKA_ID), Buffer.alloc(32, 1)]),
  wire.encodeJson({ ckaId: CKA_ID, ckaLabel: 'keyturn/a/1', spec: { algorithm: 'RS256', rsaBits: 3_072 } }),
  wire.encodeJson([{ ckaId: CKA_ID, ckaLabel: 'keyturn/a/1', privateKeys: 1, publicKeys: 1 }]),
  wire.encodeJson({ attributes: { sensitive: true, keyGenMechanism: 4_160 }, ecPoint: '0441', modulus: 'ff' }),
  wire.encodeJson({ destroyedObjects: 2 }),
  wire.encodeJson({ kind: 'ready', token: TOKEN, mechanisms: [1, 2], duplicates: [] }),
  wire.encodeJson({ kind: 'failed', reason: 'PIN_LOCKED', message: 'x', functionName: 'C_Login', ckr: 164 }),
  wire.encodeJson({
    kind: 'start',
    moduleFile: '/m',
    selector: { label: 'l' },
    signingSessions: 2,
    mayUseFinalTry: false,
  }),
  wire.encodeJson({ kind: 'reopen', rung: 'login' }),
];
const PARSERS = [
  wire.parseFault,
  wire.parseSign,
  wire.parseGenerate,
  wire.parseFoundKeys,
  wire.parseMadeKey,
  wire.parseDestroyed,
  wire.parseWorkerOrder,
  wire.parseWorkerReport,
];

const payload = mutatedBytes(fc.constantFrom(...PAYLOADS));

function judgePayload([bytes, parser]: readonly [Buffer, number]): string {
  try {
    PARSERS[parser]?.(bytes);
    return ACCEPTED;
  } catch (thrown) {
    // The connection ends with it; the kinds are what the parsers throw on purpose.
    require(thrown instanceof TypeError ||
      thrown instanceof SyntaxError ||
      thrown instanceof KeyturnError, `an error of another kind: ${String(thrown)}`);
    return 'refused';
  }
}

const stream = fc.tuple(
  mutatedBytes(
    fc
      .array(fc.tuple(fc.nat(0xffff_ffff), fc.nat(255), payload), { maxLength: 4 })
      .map((frames) => Buffer.concat(frames.map(([id, code, body]) => encodeFrame(id, code, body)))),
  ),
  fc.array(fc.nat(64), { minLength: 1, maxLength: 6 }),
);

function readInChunks(bytes: Buffer, sizes: readonly number[]): readonly Frame[] {
  const reader = new FrameReader();
  const frames: Frame[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = 1 + (sizes[turn % sizes.length] ?? 0);
    for (const frame of reader.push(bytes.subarray(at, at + size)))
      frames.push({ ...frame, payload: Buffer.from(frame.payload) });
    at += size;
  }
  return frames;
}

/** However the stream is cut, the frames are the same, and so is the end of it. */
function judgeStream([bytes, sizes]: readonly [Buffer, readonly number[]]): string {
  const attempt = (chunks: readonly number[]): readonly Frame[] | undefined => {
    try {
      return readInChunks(bytes, chunks);
    } catch (thrown) {
      require(thrown instanceof FrameError, `an error of another kind: ${String(thrown)}`);
      return undefined;
    }
  };
  const whole = attempt([bytes.length]);
  const cut = attempt(sizes);
  require((whole === undefined) === (cut === undefined), 'the cut decides whether the stream is refused');
  require(whole?.length === cut?.length, 'the cut decides how many frames there are');
  for (const { payload: body } of whole ?? []) require(body.length <= MAX_PAYLOAD_BYTES, 'a payload is over its limit');
  return whole === undefined ? 'refused' : ACCEPTED;
}

export const frameTargets = [
  pureTarget('worker frames', 100, stream, judgeStream),
  pureTarget('worker payloads', 150, fc.tuple(payload, fc.nat(PARSERS.length - 1)), judgePayload),
];
