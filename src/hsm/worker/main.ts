/**
 * The HSM worker process: the only one that loads the PKCS#11 module. It inherits everything it needs as descriptors
 * (control channel, PIN, lock, one connection a session) and listens on nothing.
 *
 * Its main thread starts the threads, opens the token, logs in, lets the threads open theirs one after the other (two at
 * once met CKR_SLOT_ID_INVALID) and from then on watches the control channel. On the daemon's order it opens the token
 * anew; when the channel closes, the daemon is gone, and the process kills itself at once, whatever a thread may be stuck in.
 */
import { fstatSync, readSync } from 'node:fs';
import { Socket } from 'node:net';
import { sleep } from '../../base/clock.ts';
import { Secret } from '../../base/secret.ts';
import { systemClock } from '../../base/system-clock.ts';
import { encodeFrame, FrameReader } from '../frames.ts';
import {
  CONTROL,
  CONTROL_FD,
  encodeJson,
  FIRST_SESSION_FD,
  type LoginProgress,
  parseWorkerOrder,
  PIN_FD,
  type WorkerOrder,
  type WorkerReport,
} from '../wire.ts';
import { SessionThread } from './threads.ts';
import {
  closeQuietly,
  initialise,
  logIn,
  loadModule,
  type LoggedIn,
  type Module,
  selectToken,
  TokenOpenError,
} from './token.ts';

const MAX_PIN_BYTES = 255;
/**
 * At a start a token that isn't there is looked for again before it is believed: seen once in 830 openings beside other
 * writers. Later the ladder tries again, and others wait for their turn at the token.
 */
const TOKEN_SEARCHES = 3;
const TOKEN_SEARCH_PAUSE_MS = 100;
const STOP_TIMEOUT_MS = 2_000;
/** A session that doesn't come back from the module within this is stuck. */
const PAUSE_TIMEOUT_MS = 2_000;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** Until it has been told to open a token, a worker is in reserve. */
process.title = 'keyturn-spare';
// The terminal and service managers signal whole groups; when a worker ends is the daemon's to say.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);

type StartOrder = Extract<WorkerOrder, { kind: 'start' }>;

const threads: SessionThread[] = [];
/** Set by the first order. */
let settings: StartOrder | undefined;
let module: Module | undefined;
let login: LoggedIn | undefined;
let hasReadPin = false;
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

/** Written at once: libuv tries that before it queues anything. */
function report(message: WorkerReport | LoginProgress): void {
  control.write(encodeFrame(0, CONTROL, encodeJson(message)));
}

function obey(order: WorkerOrder): void {
  if (order.kind === 'stop') {
    void stop();
    return;
  }
  if (order.kind === 'prepare') {
    startThreads(order.signingSessions);
    return;
  }
  const opening = order.kind === 'start' ? start(order) : reopen(order.rung, order.mayUseFinalTry);
  opening.then(report, (error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    report(
      error instanceof TokenOpenError
        ? { kind: 'failed', reason: error.reason, message, ...error.fault }
        : { kind: 'failed', reason: 'TOKEN_UNAVAILABLE', message },
    );
  });
}

/**
 * Read anew for each login, so that it stays in memory no longer than one; the caller wipes the bytes. A file that was
 * replaced since is not read: its PIN is an old one, and trying it could be the attempt that locks the token.
 */
function readPin(): Secret {
  if (hasReadPin && fstatSync(PIN_FD).nlink === 0)
    throw new TokenOpenError('SECRET_FILE_UNREADABLE', 'the PIN file was replaced: a new worker reads the new one');
  hasReadPin = true;
  const bytes = Buffer.alloc(MAX_PIN_BYTES + 2);
  let length = 0;
  for (;;) {
    const count = readSync(PIN_FD, bytes, length, bytes.length - length, length);
    if (count === 0) break;
    length += count;
  }
  if (length > 0 && bytes[length - 1] === LINE_FEED) length -= 1;
  if (length > 0 && bytes[length - 1] === CARRIAGE_RETURN) length -= 1;
  return new Secret(bytes.subarray(0, length));
}

async function start(order: StartOrder): Promise<WorkerReport> {
  settings = order;
  process.title = 'keyturn-worker';
  // Their start takes longer than the module's; opening the module comes later, one thread after the other.
  startThreads(order.signingSessions);
  module = loadModule(order.moduleFile);
  initialise(module, order.moduleParameters);
  return open(module, order, { searches: TOKEN_SEARCHES, mayUseFinalTry: order.mayUseFinalTry });
}

/** Nothing of the old sessions, handles or login is left when the token is opened again. */
async function reopen(rung: 'login' | 'reinitialise', mayUseFinalTry: boolean): Promise<WorkerReport> {
  if (module === undefined || settings === undefined) throw new TypeError('reopen comes after start');
  const paused = await Promise.all(threads.map((thread) => thread.pause(PAUSE_TIMEOUT_MS)));
  // A module that is finalised while a call is in it crashes; a process that ends by itself is cleaner.
  if (paused.includes(false)) die();
  closeQuietly(login);
  login = undefined;
  if (rung === 'reinitialise') initialise(module, settings.moduleParameters, 'again');
  return open(module, settings, { searches: 1, mayUseFinalTry });
}

interface Opening {
  readonly searches: number;
  readonly mayUseFinalTry: boolean;
}

async function open(opened: Module, order: StartOrder, { searches, mayUseFinalTry }: Opening): Promise<WorkerReport> {
  const token = await searchToken(() => selectToken(opened, order.selector), searches);
  const pin = readPin();
  const duplicates = new Set<string>();
  try {
    report({ kind: 'loggingIn' });
    login = logIn(token, pin, mayUseFinalTry);
    report({ kind: 'loggedIn' });
    const ownLogin = { moduleParameters: order.moduleParameters, serial: token.identity.serial, pin: pin.reveal() };
    for (const thread of threads)
      for (const ckaId of await thread.open(order.moduleFile, token.slot.handle, ownLogin)) duplicates.add(ckaId);
  } finally {
    pin.wipe();
  }
  return { kind: 'ready', token: token.identity, mechanisms: token.mechanisms, duplicates: [...duplicates] };
}

async function searchToken<T>(select: () => T, searches: number): Promise<T> {
  for (let search = 1; ; search += 1) {
    try {
      return select();
    } catch (error) {
      const isAbsent = error instanceof TokenOpenError && error.reason === 'TOKEN_NOT_FOUND';
      if (!isAbsent || search === searches) throw error;
      await sleep(systemClock, TOKEN_SEARCH_PAUSE_MS);
    }
  }
}

function startThreads(signingSessions: number): void {
  for (let index = threads.length; index <= signingSessions; index += 1) threads.push(startThread(index));
}

function startThread(index: number): SessionThread {
  const role = index === 0 ? 'administration' : 'signing';
  return new SessionThread({ role, fd: FIRST_SESSION_FD + index }, (error) => {
    console.error(`thread failed: ${error.message}`);
    die();
  });
}

/** Closes the sessions, then ends. The daemon sends this only when nothing is in flight. */
async function stop(): Promise<void> {
  await Promise.all(threads.map((thread) => thread.close(STOP_TIMEOUT_MS)));
  process.exit(0);
}
