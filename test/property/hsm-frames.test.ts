import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { encodeFrame, FrameError, FrameReader, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES } from '../../src/hsm/frames.ts';
import {
  encodeFault,
  encodeSignHead,
  parseFault,
  parseFoundKeys,
  parseMadeKey,
  parseSign,
  parseWorkerOrder,
  parseWorkerReport,
} from '../../src/hsm/wire.ts';
import { parseCkaId } from '../../src/base/ids.ts';

const frame = fc.record({
  requestId: fc.nat({ max: 0xffff_ffff }),
  code: fc.nat({ max: 255 }),
  payload: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
});

describe('frames', () => {
  it('arrive as they were sent, wherever the stream is cut, even when the receive buffer is used again', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.infiniteStream(fc.integer({ min: 1, max: 40 })),
        (frames, sizes) => {
          const bytes = Buffer.concat(
            frames.map(({ requestId, code, payload }) => encodeFrame(requestId, code, payload)),
          );
          const reader = new FrameReader();
          const received: { requestId: number; code: number; payload: Buffer }[] = [];
          const shared = Buffer.alloc(64);
          for (let at = 0; at < bytes.length; ) {
            const size = Math.min(sizes.next().value ?? 1, bytes.length - at);
            bytes.copy(shared, 0, at, at + size);
            for (const got of reader.push(shared.subarray(0, size)))
              received.push({ ...got, payload: Buffer.from(got.payload) });
            shared.fill(0xee);
            at += size;
          }
          expect(received).toEqual(frames);
        },
      ),
    );
  });

  it('are cut right at every single byte', () => {
    const bytes = Buffer.concat([encodeFrame(1, 2, Buffer.from('abc')), encodeFrame(3, 4)]);
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const reader = new FrameReader();
      const got = [...reader.push(bytes.subarray(0, cut)), ...reader.push(bytes.subarray(cut))];
      expect(got.map(({ requestId, code, payload }) => [requestId, code, payload.toString()])).toEqual([
        [1, 2, 'abc'],
        [3, 4, ''],
      ]);
    }
  });

  it('are refused when they are too short or too long, before anything is buffered for them', () => {
    const withLength = (length: number): Buffer => {
      const bytes = Buffer.alloc(16);
      bytes.writeUInt32BE(length);
      return bytes;
    };
    for (const length of [0, 4, MAX_FRAME_BYTES + 1, 0xffff_ffff]) {
      expect(() => new FrameReader().push(withLength(length))).toThrow(FrameError);
    }
    expect(() => encodeFrame(1, 1, Buffer.alloc(MAX_PAYLOAD_BYTES + 1))).toThrow(FrameError);
    const longest = encodeFrame(1, 1, Buffer.alloc(MAX_PAYLOAD_BYTES));
    expect(new FrameReader().push(longest)[0]?.payload.length).toBe(MAX_PAYLOAD_BYTES);
  });

  it('of garbage end in an error or in frames within the limits, and never in anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        try {
          for (const { payload } of new FrameReader().push(Buffer.from(bytes)))
            expect(payload.length).toBeLessThanOrEqual(MAX_PAYLOAD_BYTES);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
        }
      }),
    );
  });
});

describe('payloads', () => {
  it('of faults and sign requests come back as they were', () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 0xffff_ffff }),
        fc.boolean(),
        fc.nat({ max: 255 }),
        fc.uint8Array(),
        (ckr, isSessionUsable, algorithmCode, input) => {
          expect(parseFault(encodeFault({ ckr, isSessionUsable, functionName: 'C_Sign' }))).toEqual({
            ckr,
            isSessionUsable,
            functionName: 'C_Sign',
          });
          const ckaId = parseCkaId('00112233445566778899aabbccddeeff');
          const signed = parseSign(Buffer.concat([encodeSignHead(algorithmCode, ckaId), input]));
          expect(signed).toEqual({ algorithmCode, ckaId, tokenInput: Buffer.from(input) });
        },
      ),
    );
  });

  it('of garbage throw and never crash', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((text) => Buffer.from(text)),
        ),
        (bytes) => {
          for (const parse of [parseFoundKeys, parseMadeKey, parseWorkerOrder, parseWorkerReport]) {
            try {
              parse(Buffer.from(bytes));
            } catch (error) {
              expect(error).toBeInstanceOf(Error);
            }
          }
        },
      ),
    );
  });
});
