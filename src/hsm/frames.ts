/**
 * The frames between daemon and worker: `u32 length | u32 request id | u8 code | payload`, big-endian, where the length
 * counts everything after itself. Both sides parse strictly: a frame that is too short or too long ends the connection,
 * because nothing after it can be trusted.
 */

/** Longest frame without its length field: bounds what either side buffers. */
export const MAX_FRAME_BYTES = 64 * 1024;
const LENGTH_BYTES = 4;
const HEAD_BYTES = 5;
export const MAX_PAYLOAD_BYTES = MAX_FRAME_BYTES - HEAD_BYTES;

export interface Frame {
  readonly requestId: number;
  readonly code: number;
  readonly payload: Buffer;
}

export class FrameError extends Error {
  override readonly name = 'FrameError';
}

/** One frame, its payload given in parts that are laid one after the other. */
export function encodeFrame(requestId: number, code: number, ...parts: readonly Uint8Array[]): Buffer {
  let payloadBytes = 0;
  for (const part of parts) payloadBytes += part.byteLength;
  if (payloadBytes > MAX_PAYLOAD_BYTES) {
    throw new FrameError(`payload of ${payloadBytes} bytes is over the limit of ${MAX_PAYLOAD_BYTES}`);
  }
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + HEAD_BYTES + payloadBytes);
  frame.writeUInt32BE(HEAD_BYTES + payloadBytes, 0);
  frame.writeUInt32BE(requestId, LENGTH_BYTES);
  frame.writeUInt8(code, LENGTH_BYTES + 4);
  let offset = LENGTH_BYTES + HEAD_BYTES;
  for (const part of parts) {
    frame.set(part, offset);
    offset += part.byteLength;
  }
  return frame;
}

const NOTHING = Buffer.alloc(0);

/** Cuts a byte stream into frames, however it was split on the way. Payloads are views of the received chunk. */
export class FrameReader {
  #rest: Buffer = NOTHING;

  /** The frames that `chunk` completes. Throws FrameError on the first bad length. */
  push(chunk: Buffer): readonly Frame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: Frame[] = [];
    let offset = 0;
    while (bytes.length - offset >= LENGTH_BYTES) {
      const length = bytes.readUInt32BE(offset);
      if (length < HEAD_BYTES || length > MAX_FRAME_BYTES)
        throw new FrameError(`frame length ${length} is out of bounds`);
      const end = offset + LENGTH_BYTES + length;
      if (end > bytes.length) break;
      frames.push({
        requestId: bytes.readUInt32BE(offset + LENGTH_BYTES),
        code: bytes.readUInt8(offset + LENGTH_BYTES + 4),
        payload: bytes.subarray(offset + LENGTH_BYTES + HEAD_BYTES, end),
      });
      offset = end;
    }
    // A copy: the caller may use its receive buffer again.
    this.#rest = offset === bytes.length ? NOTHING : Buffer.from(bytes.subarray(offset));
    return frames;
  }
}
