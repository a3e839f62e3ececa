/**
 * Drives test/shim/shim.c: builds it, writes its rules, reads its counts. The control file's layout is the C file's
 * `struct control`; all numbers are little-endian, as on every platform that we run on.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SOURCE = join(ROOT, 'test/shim/shim.c');
const HEADERS = join(ROOT, 'node_modules/pkcs11js/includes/pkcs11');
const CACHE = join(ROOT, 'node_modules/.cache/keyturn');
const COMPILER_FLAGS = ['-std=c11', '-O2', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC'];

/** Functions in the order of CK_FUNCTION_LIST: read from the C file, so that they are written once. */
const FUNCTIONS = readFunctions();

/** The same numbers as `enum action`. */
const ACTIONS = {
  returnCode: 1,
  codeAfterwards: 2,
  delay: 3,
  hang: 4,
  segfault: 5,
  exit: 6,
  dropSession: 7,
  logOut: 8,
  noSlots: 9,
  tokenFlags: 10,
  lie: 11,
  otherKey: 12,
  flipBit: 13,
  truncate: 14,
  derEncode: 15,
  zero: 16,
  noObjects: 17,
} as const;

/** What happens to a call that a rule hits. */
export type ShimAction =
  | { readonly action: 'returnCode' | 'codeAfterwards'; readonly ckr: number | bigint }
  | { readonly action: 'delay'; readonly delayMs: number }
  | { readonly action: 'exit'; readonly exitCode: number }
  /** C_GetTokenInfo. */
  | { readonly action: 'tokenFlags'; readonly flags: number }
  /** C_GetAttributeValue: the attribute's first byte becomes `byte`. */
  | { readonly action: 'lie'; readonly attribute: number; readonly byte: number }
  | {
      readonly action:
        | 'hang'
        | 'segfault'
        | 'dropSession'
        | 'logOut'
        | 'noSlots'
        | 'noObjects'
        | 'otherKey'
        | 'flipBit'
        | 'truncate'
        | 'derEncode'
        | 'zero';
    };

export type ShimRule = ShimAction & {
  /** A name of PKCS#11, `C_Sign`. */
  readonly on: string;
  /** So many calls pass first. Calls count over all processes. */
  readonly skip?: number;
  /** Then each n-th is hit; each one by default. */
  readonly every?: number;
  /** So many hits; no limit by default. */
  readonly limit?: number;
  /** Only the calls of this process. */
  readonly pid?: number;
};

const MAX_RULES = 16;
const RULE_BYTES = 64;
const COUNT_BYTES = 16;
const COUNTS_AT = MAX_RULES * RULE_BYTES;
const PROCESSES_AT = COUNTS_AT + FUNCTIONS.length * COUNT_BYTES;
const MAX_PROCESSES = 512;
const PROCESS_BYTES = 12;
const MOST_SESSIONS_AT = 8;
const SEEN_AT = 48;
const HITS_AT = 56;

export interface ArmedRule {
  /** How many calls it has hit. */
  hits(): number;
  disarm(): void;
}

export class Shim {
  readonly #fd: number;
  /** What the process that loads the module needs in its environment. */
  readonly environment: Readonly<Record<string, string>>;
  readonly moduleFile: string;

  /** `dir` takes the control file; `realModule` is the module behind the shim. */
  constructor(dir: string, realModule: string) {
    const file = join(dir, 'shim.control');
    this.moduleFile = buildShim();
    this.environment = { PKCS11_SHIM_MODULE: realModule, PKCS11_SHIM_CONTROL: file };
    this.#fd = openSync(file, 'w+', 0o600);
    writeSync(this.#fd, Buffer.alloc(PROCESSES_AT + MAX_PROCESSES * PROCESS_BYTES + PROCESS_BYTES), 0, undefined, 0);
  }

  /** Holds until it is disarmed or used up. */
  arm(rule: ShimRule): ArmedRule {
    const index = Array.from({ length: MAX_RULES }, (_, at) => at).find((at) => this.#read(at * RULE_BYTES, 4) === 0);
    if (index === undefined) throw new RangeError(`the shim has room for ${MAX_RULES} rules`);
    const at = index * RULE_BYTES;
    const bytes = Buffer.alloc(RULE_BYTES);
    bytes.writeUInt32LE(numberOf(rule.on), 4);
    bytes.writeUInt32LE(ACTIONS[rule.action], 8);
    bytes.writeUInt32LE(rule.pid ?? 0, 12);
    bytes.writeBigUInt64LE(argumentOf(rule), 16);
    bytes.writeBigUInt64LE(BigInt(rule.skip ?? 0), 24);
    bytes.writeBigUInt64LE(BigInt(rule.every ?? 1), 32);
    bytes.writeBigUInt64LE(BigInt(rule.limit ?? 0), 40);
    bytes.writeBigUInt64LE(0n, SEEN_AT);
    bytes.writeBigUInt64LE(0n, HITS_AT);
    writeSync(this.#fd, bytes, 0, RULE_BYTES, at);
    this.#setActive(at, true);
    return {
      hits: () => this.#read(at + HITS_AT, 8),
      disarm: () => {
        this.#setActive(at, false);
      },
    };
  }

  /** Calls so far, over all processes. */
  calls(functionName: string): number {
    return this.#read(COUNTS_AT + numberOf(functionName) * COUNT_BYTES, 8);
  }

  /** Calls that returned anything but CKR_OK. */
  failures(functionName: string): number {
    return this.#read(COUNTS_AT + numberOf(functionName) * COUNT_BYTES + 8, 8);
  }

  /** The most sessions that a process had open at a time, by process: of the latest 512 that loaded the shim. */
  mostSessions(): ReadonlyMap<number, number> {
    const bytes = Buffer.alloc(MAX_PROCESSES * PROCESS_BYTES);
    readSync(this.#fd, bytes, 0, bytes.length, PROCESSES_AT);
    const sessions = new Map<number, number>();
    for (let at = 0; at < bytes.length; at += PROCESS_BYTES) {
      const pid = bytes.readUInt32LE(at);
      if (pid > 0) sessions.set(pid, bytes.readUInt32LE(at + MOST_SESSIONS_AT));
    }
    return sessions;
  }

  /** Disarms every rule. */
  clear(): void {
    for (let index = 0; index < MAX_RULES; index += 1) this.#setActive(index * RULE_BYTES, false);
  }

  close(): void {
    closeSync(this.#fd);
  }

  #setActive(at: number, isActive: boolean): void {
    const flag = Buffer.alloc(4);
    flag.writeUInt32LE(isActive ? 1 : 0);
    writeSync(this.#fd, flag, 0, 4, at);
  }

  #read(at: number, length: 4 | 8): number {
    const bytes = Buffer.alloc(8);
    readSync(this.#fd, bytes, 0, length, at);
    return Number(bytes.readBigUInt64LE());
  }
}

function argumentOf(rule: ShimRule): bigint {
  switch (rule.action) {
    case 'returnCode':
    case 'codeAfterwards':
      return BigInt(rule.ckr);
    case 'delay':
      return BigInt(rule.delayMs);
    case 'exit':
      return BigInt(rule.exitCode);
    case 'tokenFlags':
      return BigInt(rule.flags);
    case 'lie':
      return (BigInt(rule.attribute) << 8n) | BigInt(rule.byte);
    default:
      return 0n;
  }
}

function readFunctions(): readonly string[] {
  const names = [...readFileSync(SOURCE, 'utf8').matchAll(/\bF\((C_\w+), \d\)/g)].map(([, name = '']) => name);
  if (names.length !== 68) throw new Error(`shim.c lists ${names.length} functions`);
  return names;
}

function numberOf(functionName: string): number {
  const number = FUNCTIONS.indexOf(functionName);
  if (number < 0) throw new RangeError(`PKCS#11 2.40 has no function ${functionName}`);
  return number;
}

/** Compiled once for each state of its source; several test processes may do it at the same time. */
function buildShim(): string {
  const hash = createHash('sha256').update(readFileSync(SOURCE)).digest('hex').slice(0, 16);
  const library = join(CACHE, `shim-${hash}.so`);
  if (existsSync(library)) return library;
  mkdirSync(CACHE, { recursive: true });
  const unfinished = `${library}.${process.pid}`;
  execFileSync('cc', [...COMPILER_FLAGS, '-I', HEADERS, '-o', unfinished, SOURCE, '-ldl', '-lpthread'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  renameSync(unfinished, library);
  return library;
}
