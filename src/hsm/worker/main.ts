/**
 * The HSM worker process: the only one that loads the PKCS#11 module. It inherits everything it needs as descriptors
 * (control channel, PIN, lock, one connection a session) and listens on nothing.
 *
 * Its main thread opens the token, logs in once, starts the threads one after the other (two that open a module at once
 * met CKR_SLOT_ID_INVALID) and from then on only watches the control channel: when that closes, the daemon is gone, and
 * the process kills itself at once, whatever a thread may be stuck in.
 */
import { closeSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import { sleep } from '../../base/clock.ts';
import { systemClock } from '../../base/system-clock.ts';
import { nameFault } from '../faults.ts';
import { encodeFrame, FrameReader } from '../frames.ts';
import {
  CONTROL,
  CONTROL_FD,
  encodeJson,
  FIRST_SESSION_FD,
  parseWorkerOrder,
  PIN_FD,
  type WorkerOrder,
  type WorkerReport,
} from '../wire.ts';
import type { ThreadReport, ThreadSettings } from './thread-settings.ts';
import { logIn, openModule, selectToken, TokenOpenError } from './token.ts';

const MAX_PIN_BYTES = 255;
/** A token that isn't there is looked for again before it is believed: seen once in 830 openings beside other writers. */
const TOKEN_SEARCHES = 3;
const TOKEN_SEARCH_PAUSE_MS = 100;
const STOP_TIMEOUT_MS = 2_000;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

process.title = 'keyturn-worker';
// The terminal and service managers signal whole groups; when a worker ends is the daemon's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

const threads: Worker[] = [];
const control = new Socket({ fd: CONTROL_FD, readable: true, writable: true });
const reader = new FrameReader();

function die(): void {
  process.kill(process.pid, 'SIGKILL');
}

control.on('end', die);
control.on('close', die);
control.on('error', die);
control.on('data', (chunk) => {
  for (const { payload } of reader.push(chunk)) obey(parseWorkerOrder(payload));
});

function report(message: WorkerReport): void {
  control.write(encodeFrame(0, CONTROL, encodeJson(message)));
}

function obey(order: WorkerOrder): void {
  if (order.kind === 'stop') {
    void stop();
    return;
  }
  start(order).then(report, (error: unknown) => {
    const isKnown = error instanceof TokenOpenError;
    const message = error instanceof Error ? error.message : String(error);
    report({ kind: 'failed', reason: isKnown ? error.reason : 'TOKEN_UNAVAILABLE', message });
  });
}

/** The PIN's descriptor is read once and closed; the caller wipes the bytes. */
function readPin(): Buffer {
  const bytes = Buffer.alloc(MAX_PIN_BYTES + 2);
  let length = 0;
  for (;;) {
    const count = readSync(PIN_FD, bytes, length, bytes.length - length, length);
    if (count === 0) break;
    length += count;
  }
  closeSync(PIN_FD);
  if (length > 0 && bytes[length - 1] === LINE_FEED) length -= 1;
  if (length > 0 && bytes[length - 1] === CARRIAGE_RETURN) length -= 1;
  return bytes.subarray(0, length);
}

async function start(order: Extract<WorkerOrder, { kind: 'start' }>): Promise<WorkerReport> {
  const pin = readPin();
  const module = openModule(order.moduleFile, order.moduleParameters);
  const token = await searchToken(() => selectToken(module, order.selector));
  try {
    logIn(token, pin, order.mayUseFinalTry);
  } finally {
    pin.fill(0);
  }
  const duplicates = new Set<string>();
  for (let index = 0; index <= order.signingSessions; index += 1) {
    const found = await startThread({
      moduleFile: order.moduleFile,
      slot: token.slot.handle,
      role: index === 0 ? 'administration' : 'signing',
      fd: FIRST_SESSION_FD + index,
    });
    for (const ckaId of found) duplicates.add(ckaId);
  }
  return { kind: 'ready', token: token.identity, mechanisms: token.mechanisms, duplicates: [...duplicates] };
}

async function searchToken<T>(select: () => T): Promise<T> {
  for (let search = 1; ; search += 1) {
    try {
      return select();
    } catch (error) {
      const isAbsent = error instanceof TokenOpenError && error.reason === 'TOKEN_NOT_FOUND';
      if (!isAbsent || search === TOKEN_SEARCHES) throw error;
      await sleep(systemClock, TOKEN_SEARCH_PAUSE_MS);
    }
  }
}

function startThread(workerData: ThreadSettings): Promise<readonly string[]> {
  // Beside this file, as source or compiled.
  const file = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);
  const thread = new Worker(file, { workerData, resourceLimits: { maxYoungGenerationSizeMb: 4 } });
  threads.push(thread);
  return new Promise((resolve, reject) => {
    thread.on('message', (message: ThreadReport) => {
      if (message.kind === 'ready') resolve(message.duplicates);
      if (message.kind === 'failed') {
        reject(
          new TokenOpenError(
            'TOKEN_UNAVAILABLE',
            `a session could not be opened: ${message.functionName} failed with ${nameFault(message.ckr)}`,
          ),
        );
      }
    });
    // A thread that ends by itself leaves its connection open for ever: the whole worker is replaced instead.
    thread.on('error', (error) => {
      console.error(`thread failed: ${error.message}`);
      die();
    });
  });
}

/** Closes the sessions, then ends. The daemon sends this only when nothing is in flight. */
async function stop(): Promise<void> {
  const closed = threads.map(
    (thread) =>
      new Promise<void>((resolve) => {
        thread.on('message', (message: ThreadReport) => {
          if (message.kind === 'closed') resolve();
        });
        thread.postMessage('close');
      }),
  );
  await Promise.race([Promise.all(closed), sleep(systemClock, STOP_TIMEOUT_MS)]);
  process.exit(0);
}
