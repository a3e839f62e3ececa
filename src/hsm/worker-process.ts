/**
 * One HSM worker as the daemon sees it: the child process, its control channel and the connections to its sessions.
 * It says what happens; what follows from it is the supervisor's business.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Duplex, Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Clock, sleep } from '../base/clock.ts';
import { KeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { Reason } from '../base/reasons.ts';
import type { TokenConfig } from '../config/config.ts';
import { encodeFrame, FrameReader } from './frames.ts';
import type { WorkerStatus } from './hsm.ts';
import { judgeLogin } from './ladder.ts';
import { identifyPinFile } from './pin-file.ts';
import { SessionLink } from './session-link.ts';
import {
  CONTROL,
  CONTROL_FD,
  encodeJson,
  FIRST_SESSION_FD,
  type LoginProgress,
  parseWorkerReport,
  type TokenIdentity,
  type WorkerOrder,
  type WorkerReport,
} from './wire.ts';

/** From the start of the process to its last session open; a module that takes longer counts as hung. */
const START_TIMEOUT_MS = 30_000;
/** The same without a start, beside twice what the start took: that depends on the token and its number of keys. */
const REOPEN_TIMEOUT_MS = 5_000;
const STOP_TIMEOUT_MS = 3_000;
const DRAIN_POLL_MS = 10;
/** What a worker still said is read so long after its end, at the latest. */
const LAST_WORDS_MS = 50;
/** What a worker may say on stdout and stderr before the rest is dropped. */
const MAX_LOGGED_LINES = 200;
const MAX_LINE_CHARACTERS = 1_000;

/** A worker inherits nothing from the daemon's environment, least of all NODE_OPTIONS. Few malloc arenas: less memory. */
const BASE_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
  MALLOC_ARENA_MAX: '2',
};
const IS_COMPILED = import.meta.url.endsWith('.js');
/**
 * Little memory before speed: a worker's time is the token's. Without the optimising compilers a worker is about 8 MiB
 * smaller, and a JWT costs 4 % more server CPU (ES256, measured). Sources can't have that: erasing types takes
 * WebAssembly, which goes with the compilers.
 */
const NODE_FLAGS = IS_COMPILED ? ['--max-semi-space-size=1', '--lite-mode'] : ['--max-semi-space-size=1'];

/** Reasons for which the same process may try again; the others need another module, configuration or PIN. */
const MAY_REOPEN: ReadonlySet<Reason> = new Set(['TOKEN_UNAVAILABLE', 'TOKEN_NOT_FOUND']);

/**
 * No core dump: it would hold the PIN. A limit of one byte is too small for any file, and the one limit that the kernel
 * obeys, too, where a program such as systemd-coredump or apport takes the dumps (core(5) knows no other); `ulimit`
 * counts in blocks, so it is the second best. The shell is replaced by the worker and keeps its process id.
 */
const WITHOUT_CORE = 'prlimit --pid $$ --core=1:1 2>/dev/null || ulimit -c 0; exec "$@"';

/** The token is open: its sessions sign. */
export type OpenedWorker = Extract<WorkerReport, { kind: 'ready' }>;

export interface OpenFailure {
  readonly kind: 'failed';
  readonly problem: KeyturnError;
  /** False when the process is gone or stuck: only a new one can help. */
  readonly mayReopen: boolean;
  /** It may have cost an attempt at the PIN: the token's answer says nothing, or the worker died before it had one. */
  readonly isLoginInDoubt: boolean;
  /** The call that failed, where one did. */
  readonly functionName?: string;
  readonly ckr?: number;
}

export interface WorkerProcessOptions {
  readonly config: TokenConfig;
  readonly clock: Clock;
  readonly log: Logger;
  /** Opened by the daemon, read by the worker only. */
  readonly pinFd: number;
  readonly lockFd: number;
}

export class WorkerProcess {
  readonly pid: number;
  /** The PIN file whose descriptor it inherited (`identifyPinFile`). */
  readonly pinFile: string;
  readonly administration: SessionLink;
  readonly signing: readonly SessionLink[];
  /** Resolves when the process is gone. */
  readonly exited: Promise<void>;
  state: WorkerStatus['state'] = 'starting';
  /** Monotonic time of the last change of state. */
  sinceMs: number;
  /** Monotonic time at which it became ready; undefined before. */
  readySinceMs: number | undefined;
  token: TokenIdentity | undefined;
  mechanisms: ReadonlySet<number> = new Set();
  /** Held back from requests until a trial signature has shown what it is worth. */
  isOnTrial = false;
  /** It holds a PIN file of before: it signs on, but never logs in again. */
  isOutdated = false;

  readonly #child: ChildProcess;
  readonly #control: Duplex;
  readonly #config: TokenConfig;
  readonly #clock: Clock;
  readonly #log: Logger;
  /** How long the first opening took that succeeded. */
  #openedInMs = 0;
  #onReport: (report: WorkerReport) => void = () => undefined;
  #onEnd: (message: string) => void = () => undefined;
  /** It has called C_Login and not said yet how that ended. */
  #isLoggingIn = false;
  #isKilled = false;
  /** How the process ended; undefined while it lives. */
  #end: string | undefined;

  /** The process alone: it does nothing before `prepare` or `start`. */
  constructor({ config, clock, log, pinFd, lockFd }: WorkerProcessOptions) {
    this.#config = config;
    this.#clock = clock;
    this.#log = log;
    this.sinceMs = clock.monotonicMs();
    this.pinFile = identifyPinFile(pinFd);
    const sessions = 1 + config.sessionsPerWorker;
    // Beside this file, as source or compiled.
    const main = fileURLToPath(new URL(IS_COMPILED ? './worker/main.js' : './worker/main.ts', import.meta.url));
    this.#child = spawn('/bin/sh', ['-c', WITHOUT_CORE, 'keyturn-worker', process.execPath, ...NODE_FLAGS, main], {
      cwd: '/',
      env: { ...BASE_ENVIRONMENT, ...config.environment },
      stdio: [
        'ignore',
        'pipe',
        'pipe',
        'pipe',
        pinFd,
        lockFd,
        ...Array.from({ length: sessions }, () => 'pipe' as const),
      ],
    });
    this.exited = new Promise((resolve) => {
      this.#child.once('exit', () => {
        resolve();
      });
      this.#child.once('error', () => {
        resolve();
      });
    });
    if (this.#child.pid === undefined)
      throw new KeyturnError('TOKEN_UNAVAILABLE', 'no worker process could be started');
    this.pid = this.#child.pid;
    this.#control = this.#streamOf(CONTROL_FD);
    const links = Array.from({ length: sessions }, (_, index) => this.#openLink(FIRST_SESSION_FD + index));
    const [administration, ...signing] = links;
    if (administration === undefined) throw new TypeError('a worker needs an administration session');
    this.administration = administration;
    this.signing = signing;
    this.#logOutput(this.#child.stdout);
    this.#logOutput(this.#child.stderr);
    this.#listen();
  }

  /** Does ahead what needs no token. */
  prepare(): void {
    this.#order({ kind: 'prepare', signingSessions: this.#config.sessionsPerWorker });
  }

  /** Opens the token for the first time. Once. */
  start(mayUseFinalTry: boolean): Promise<OpenedWorker | OpenFailure> {
    this.setState('starting');
    const { moduleFile, moduleParameters, selector, sessionsPerWorker: signingSessions } = this.#config;
    return this.#open(
      { kind: 'start', moduleFile, moduleParameters, selector, signingSessions, mayUseFinalTry },
      START_TIMEOUT_MS,
    );
  }

  setState(state: WorkerStatus['state']): void {
    this.state = state;
    this.sinceMs = this.#clock.monotonicMs();
    if (state === 'ready') this.readySinceMs = this.sinceMs;
  }

  /** Opens the token anew in the same process. One at a time, and not before `start` has settled. */
  reopen(rung: 'login' | 'reinitialise', mayUseFinalTry: boolean): Promise<OpenedWorker | OpenFailure> {
    return this.#open({ kind: 'reopen', rung, mayUseFinalTry }, REOPEN_TIMEOUT_MS + 2 * this.#openedInMs);
  }

  /** For a worker that hangs or can't be trusted. Its connections end, and with them what it had in flight. */
  kill(): void {
    this.setState('draining');
    this.#isKilled = true;
    this.#child.kill('SIGKILL');
  }

  /** Takes no more requests, answers those that it has, and ends; what takes longer is tried again elsewhere. */
  async retire(patienceMs: number): Promise<void> {
    this.setState('draining');
    const endMs = this.#clock.monotonicMs() + patienceMs;
    while (this.signing.some(({ inFlight }) => inFlight > 0) && this.#clock.monotonicMs() < endMs)
      await sleep(this.#clock, DRAIN_POLL_MS);
    await this.stop();
  }

  /** For a worker with nothing in flight: closes its sessions, then ends. */
  async stop(): Promise<void> {
    this.setState('draining');
    this.#order({ kind: 'stop' });
    const cancel = this.#clock.after(STOP_TIMEOUT_MS, () => {
      this.kill();
    });
    await this.exited;
    cancel();
  }

  #order(order: WorkerOrder): void {
    this.#control.write(encodeFrame(0, CONTROL, encodeJson(order)));
  }

  #listen(): void {
    const reader = new FrameReader();
    this.#control.on('data', (chunk: Buffer) => {
      try {
        for (const { payload } of reader.push(chunk)) this.#hear(parseWorkerReport(payload));
      } catch (error) {
        this.#log.error({ workerPid: this.pid, error: String(error) }, 'HSM worker sent a report that is not one');
        this.kill();
      }
    });
    this.#control.on('error', () => undefined);
    const isRead = new Promise((resolve) => this.#control.once('close', resolve));
    void this.exited.then(async () => {
      const how = this.#child.signalCode ?? `exit code ${this.#child.exitCode}`;
      // The report counts for more than the end. What a module left behind may hold the connection open for ever.
      await Promise.race([isRead, sleep(this.#clock, LAST_WORDS_MS)]);
      this.#end = `the HSM worker ended with ${how} while it opened the token; its output is in the log`;
      this.#onEnd(this.#end);
    });
  }

  #hear(report: WorkerReport | LoginProgress): void {
    this.#isLoggingIn = report.kind === 'loggingIn';
    if (report.kind === 'ready' || report.kind === 'failed') this.#onReport(report);
  }

  async #open(order: WorkerOrder, timeoutMs: number): Promise<OpenedWorker | OpenFailure> {
    let cancel = (): void => undefined;
    const startMs = this.#clock.monotonicMs();
    const outcome = await new Promise<WorkerReport | string>((resolve) => {
      this.#onReport = resolve;
      cancel = this.#clock.after(timeoutMs, () => {
        resolve(`the PKCS#11 module took longer than ${timeoutMs / 1_000} s to open the token`);
      });
      this.#onEnd = resolve;
      if (this.#end === undefined) this.#order(order);
      else resolve(this.#end);
    });
    cancel();
    if (typeof outcome === 'string') {
      const problem = new KeyturnError('TOKEN_UNAVAILABLE', outcome);
      // One that we killed was to try another PIN, or hung: a token that can't be reached refuses nothing.
      const isLoginInDoubt = this.#isLoggingIn && this.#end !== undefined && !this.#isKilled;
      return { kind: 'failed', problem, mayReopen: false, isLoginInDoubt };
    }
    if (outcome.kind === 'failed') {
      const { reason, message, functionName, ckr } = outcome;
      return {
        kind: 'failed',
        problem: new KeyturnError(reason, message),
        mayReopen: MAY_REOPEN.has(reason),
        isLoginInDoubt: functionName === 'C_Login' && ckr !== undefined && judgeLogin(ckr) === 'doubtful',
        ...(functionName === undefined || ckr === undefined ? {} : { functionName, ckr }),
      };
    }
    this.#openedInMs ||= this.#clock.monotonicMs() - startMs;
    this.token = outcome.token;
    this.mechanisms = new Set(outcome.mechanisms);
    return outcome;
  }

  #openLink(fd: number): SessionLink {
    return new SessionLink(this.#streamOf(fd), this.#clock, (error) => {
      this.#log.error({ workerPid: this.pid, error: String(error) }, 'HSM worker broke the frame protocol');
      this.kill();
    });
  }

  /** A `pipe` of stdio beyond the third is a socket pair in both directions. */
  #streamOf(fd: number): Duplex {
    return this.#child.stdio[fd] as Duplex;
  }

  #logOutput(output: Readable | null): void {
    let lines = 0;
    output?.setEncoding('utf8');
    output?.on('data', (text: string) => {
      for (const line of text.split('\n')) {
        if (line === '' || lines > MAX_LOGGED_LINES) continue;
        lines += 1;
        const isLast = lines > MAX_LOGGED_LINES;
        const fields = { workerPid: this.pid, output: line.slice(0, MAX_LINE_CHARACTERS) };
        this.#log.warn(fields, isLast ? 'HSM worker output; the rest of it is dropped' : 'HSM worker output');
      }
    });
  }
}
