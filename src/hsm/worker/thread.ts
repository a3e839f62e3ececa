/**
 * A thread of the worker: one session, one inherited connection, requests answered in the order they came. It knows no
 * PIN and no queue. Whatever fails in the token is answered as a number; the daemon decides what follows from it.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../../base/system-clock.ts';
import { algorithmOfCode } from '../../jose/algorithms.ts';
import { encodeFrame, type Frame, FrameReader } from '../frames.ts';
import { keepsHandles } from '../ladder.ts';
import {
  CKA_ID_BYTES,
  encodeFault,
  encodeJson,
  encodeMadeKey,
  parseGenerate,
  parseSign,
  REFUSAL,
  REPLY,
  REQUEST,
} from '../wire.ts';
import { destroyKeyPair, generateKeyPair, listKeys, readKeyPair } from './administration.ts';
import { toNativeFault } from './native-fault.ts';
import type { OwnLogin, ThreadOrder, ThreadReport, ThreadSettings } from './thread-settings.ts';
import { SEVERAL, TokenSession } from './token-session.ts';

/** Answers wait this long for company before they are written: many requests share a write, yet none waits for a slow one. */
const MAX_REPLY_WAIT_MS = 0.5;
const RECEIVE_BUFFER_BYTES = 16 * 1024;
/** Keys in one frame of a listing: 100 of at most about 250 bytes stay far below the frame limit. */
const KEYS_PER_PART = 100;

const settings = workerData as ThreadSettings;
const isSigner = settings.role === 'signing';
const token = new TokenSession(isSigner ? 'readOnly' : 'readWrite');
/** Until the first `open`, and between a `pause` and the next. */
let isPaused = true;

function report(message: ThreadReport): void {
  parentPort?.postMessage(message);
}

function refusal(requestId: number, code: number): Buffer {
  return encodeFrame(requestId, REPLY.refused, Buffer.from([code]));
}

function sign(requestId: number, payload: Buffer): Buffer {
  const { algorithmCode, ckaId, tokenInput } = parseSign(payload);
  const algorithm = algorithmOfCode(algorithmCode);
  if (algorithm === undefined) return refusal(requestId, REFUSAL.malformedRequest);
  const handle = token.handleOf(ckaId);
  if (handle === undefined) return refusal(requestId, REFUSAL.noSuchKey);
  if (handle === SEVERAL) return refusal(requestId, REFUSAL.severalKeys);
  return encodeFrame(requestId, REPLY.ok, token.sign(algorithm, handle, tokenInput));
}

function find(requestId: number, payload: Buffer): Buffer {
  const handle = token.find(toCkaId(payload));
  if (handle === undefined) return refusal(requestId, REFUSAL.noSuchKey);
  if (handle === SEVERAL) return refusal(requestId, REFUSAL.severalKeys);
  return encodeFrame(requestId, REPLY.ok);
}

function list(requestId: number): Buffer {
  const keys = listKeys(token);
  const frames: Buffer[] = [];
  for (let at = 0; at < keys.length; at += KEYS_PER_PART) {
    frames.push(encodeFrame(requestId, REPLY.part, encodeJson(keys.slice(at, at + KEYS_PER_PART))));
  }
  return Buffer.concat([...frames, encodeFrame(requestId, REPLY.ok)]);
}

function answer({ requestId, code, payload }: Frame): Buffer {
  if (code === REQUEST.find) return find(requestId, payload);
  if (isSigner) {
    if (code === REQUEST.sign) return sign(requestId, payload);
    if (code === REQUEST.forget) {
      token.forget(toCkaId(payload));
      return encodeFrame(requestId, REPLY.ok);
    }
    if (code === REQUEST.sweep) {
      token.sweep();
      return encodeFrame(requestId, REPLY.ok);
    }
    if (code === REQUEST.reopen) {
      if (token.reopen({ keepsHandles: false }) !== undefined) throw new Error('C_OpenSession failed');
      return encodeFrame(requestId, REPLY.ok);
    }
    return refusal(requestId, REFUSAL.malformedRequest);
  }
  if (code === REQUEST.generate) {
    const made = generateKeyPair(token, parseGenerate(payload));
    return made === undefined
      ? refusal(requestId, REFUSAL.ckaIdInUse)
      : encodeFrame(requestId, REPLY.ok, encodeMadeKey(made));
  }
  if (code === REQUEST.destroy) {
    return encodeFrame(requestId, REPLY.ok, encodeJson({ destroyedObjects: destroyKeyPair(token, toCkaId(payload)) }));
  }
  if (code === REQUEST.list) return list(requestId);
  if (code === REQUEST.read) {
    const pair = readKeyPair(token, toCkaId(payload));
    return pair === undefined
      ? refusal(requestId, REFUSAL.noSuchKey)
      : encodeFrame(requestId, REPLY.ok, encodeMadeKey(pair));
  }
  return refusal(requestId, REFUSAL.malformedRequest);
}

function toCkaId(payload: Buffer): string {
  if (payload.length !== CKA_ID_BYTES) throw new TypeError(`a CKA_ID has ${CKA_ID_BYTES} bytes`);
  return payload.toString('hex');
}

function answerOrFault(frame: Frame): Buffer {
  // No call may meet a module that is being finalised.
  if (isPaused) return refusal(frame.requestId, REFUSAL.paused);
  try {
    return answer(frame);
  } catch (error) {
    const fault = toNativeFault(error);
    const reopenFault = token.reopen({ keepsHandles: keepsHandles(fault.ckr) });
    const answered = reopenFault ?? fault;
    return encodeFrame(
      frame.requestId,
      REPLY.fault,
      encodeFault({ ...answered, isSessionUsable: reopenFault === undefined }),
    );
  }
}

function serve(): void {
  const reader = new FrameReader();
  const receive = (chunk: Buffer): void => {
    let replies: Buffer[] = [];
    let waitingSinceMs = systemClock.monotonicMs();
    for (const frame of reader.push(chunk)) {
      replies.push(answerOrFault(frame));
      const nowMs = systemClock.monotonicMs();
      if (nowMs - waitingSinceMs < MAX_REPLY_WAIT_MS) continue;
      socket.write(Buffer.concat(replies));
      replies = [];
      waitingSinceMs = nowMs;
    }
    if (replies.length > 0) socket.write(Buffer.concat(replies));
  };
  // One receive buffer for good: without it each read would allocate 64 KiB, and the process would grow by many MiB.
  const buffer = Buffer.alloc(RECEIVE_BUFFER_BYTES);
  const options: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd: settings.fd,
    readable: true,
    writable: true,
    onread: {
      buffer,
      callback: (bytes) => {
        receive(buffer.subarray(0, bytes));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  // The daemon closed the connection or died: the main thread ends the process.
  socket.on('error', () => socket.destroy());
  parentPort?.on('message', (order: ThreadOrder) => {
    obey(order, socket);
  });
}

function obey(order: ThreadOrder, socket: Socket): void {
  switch (order.kind) {
    case 'open':
      open(order.moduleFile, Buffer.from(order.slot), order.ownLogin);
      return;
    case 'pause':
      isPaused = true;
      token.close();
      report({ kind: 'paused' });
      return;
    case 'close':
      socket.destroy();
      token.close();
      report({ kind: 'closed' });
      parentPort?.close();
      return;
  }
}

function open(moduleFile: string, slot: Buffer, ownLogin: OwnLogin | undefined): void {
  try {
    token.load(moduleFile);
    if (ownLogin !== undefined) token.logIn(slot, ownLogin);
    token.open(slot);
    const duplicates = isSigner ? token.sweep() : [];
    isPaused = false;
    report({ kind: 'ready', duplicates });
  } catch (error) {
    token.close();
    report({ kind: 'failed', ...toNativeFault(error) });
  } finally {
    // This thread's copy of the PIN.
    ownLogin?.pin.fill(0);
  }
}

serve();
