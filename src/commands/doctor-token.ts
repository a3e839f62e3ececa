/**
 * `keyturn doctor --token`: logs in to the token once, and tries every algorithm with a throw-away key pair. Never while
 * the daemon says that the PIN was refused.
 */
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../base/clock.ts';
import { toKeyturnError } from '../base/errors.ts';
import type { Logger } from '../base/logger.ts';
import type { TokenStatus } from '../client/client.ts';
import type { Config, TokenConfig } from '../config/config.ts';
import { openSecretFile } from '../config/secrets.ts';
import { type Capability, tryCapabilities } from '../hsm/capabilities.ts';
import type { Hsm } from '../hsm/hsm.ts';
import { type Algorithm, specOf } from '../jose/algorithms.ts';
import type { CommandContext, Options } from './command.ts';
import { withClient } from './connection.ts';
import { fail, ok, warn, type Finding } from './findings.ts';
import { formatTable } from './table.ts';

export interface TokenTrial {
  readonly findings: readonly Finding[];
  readonly capabilities: readonly Capability[];
}

const NAME = 'token trial';
const SESSIONS = 'token sessions';
const OPEN_TIMEOUT_MS = 30_000;
const OPEN_POLL_MS = 50;
const CLOSE_GRACE_MS = 2_000;
/** A TPM takes seconds for an RSA key. */
const GENERATE_TIMEOUT_MS = 120_000;
const PIN_TROUBLE: ReadonlySet<string> = new Set(['PIN_INCORRECT', 'PIN_LOCKED', 'LOGIN_LATCHED']);

const SILENT: Logger = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};

export async function tryToken(context: CommandContext, options: Options, config: Config): Promise<TokenTrial> {
  const status = await askDaemon(context, options);
  if (PIN_TROUBLE.has(status?.reason ?? '')) {
    const message = `not tried: the daemon says that the token refused the PIN (${status?.reason ?? ''})`;
    return {
      findings: [fail(NAME, message, 'correct the PIN file, then run `keyturn token retry-login`')],
      capabilities: [],
    };
  }
  const folder = mkdtempSync(join(tmpdir(), 'keyturn-doctor-'));
  try {
    return await tryOpened(context, config, join(folder, 'workers.lock'));
  } catch (thrown) {
    const { message, reason } = toKeyturnError(thrown);
    return {
      findings: [fail(NAME, `${message} (${reason})`, 'the guides in docs/tokens may know the token')],
      capabilities: [],
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function askDaemon(context: CommandContext, options: Options): Promise<TokenStatus | undefined> {
  try {
    return await withClient(context, options, (client) => client.getTokenStatus());
  } catch {
    // It needn't run.
    return undefined;
  }
}

async function tryOpened(context: CommandContext, config: Config, workerLockFile: string): Promise<TokenTrial> {
  const { clock, terminal } = context;
  const { createHsmPool } = await import('../hsm/pool.ts');
  const hsm = createHsmPool({
    config: { ...config.token, workers: 1, generateTimeoutMs: GENERATE_TIMEOUT_MS },
    limits: config.limits,
    clock,
    log: SILENT,
    // One attempt, and this process ends: what it would remember is in the finding.
    latch: { isSet: () => false, set: () => Promise.resolve() },
    openPin: () => openSecretFile(config.token.pinFile),
    workerLockFile,
  });
  try {
    const problem = await waitUntilOpen(hsm, context);
    if (problem !== undefined) return { findings: [problem], capabilities: [] };
    const { label = '', manufacturer = '', model = '', firmwareVersion = '', maxSessions } = hsm.status();
    const sessions = config.token.sessionsPerWorker;
    const capabilities = await tryCapabilities({
      hsm,
      clock,
      randomBytes,
      concurrency: 2 * sessions,
      onProgress: (what) => {
        terminal.note(`trying ${what} …`);
      },
    });
    const device = [manufacturer, model, firmwareVersion].filter(Boolean).join(' ');
    const opened = ok(
      NAME,
      `"${label}" (${device}) let us in, with ${sessions} signing ${sessions === 1 ? 'session' : 'sessions'}`,
    );
    return { findings: [opened, judgeSessions(config.token, maxSessions), ...findBroken(capabilities)], capabilities };
  } finally {
    await hsm.close(CLOSE_GRACE_MS);
  }
}

/** Undefined when it is open. */
async function waitUntilOpen(hsm: Hsm, { clock }: CommandContext): Promise<Finding | undefined> {
  const untilMs = clock.monotonicMs() + OPEN_TIMEOUT_MS;
  while (hsm.status().state === 'starting' && clock.monotonicMs() < untilMs) await sleep(clock, OPEN_POLL_MS);
  const { state, message = 'it did not open in time', reason = '' } = hsm.status();
  if (state === 'ready') return undefined;
  return fail(NAME, reason === '' ? message : `${message} (${reason})`, 'the guides in docs/tokens may know the token');
}

/** Beside its signing sessions a worker has one that keeps the login, and one for administration. */
const OTHER_SESSIONS = 2;

/** Whether the token's sessions suffice for the configured workers. `maxSessions`: what it says of itself. */
export function judgeSessions(
  { workers, sessionsPerWorker }: Pick<TokenConfig, 'workers' | 'sessionsPerWorker'>,
  maxSessions: number | undefined,
): Finding {
  const ofOne = sessionsPerWorker + OTHER_SESSIONS;
  const ofAll = workers * ofOne;
  if (maxSessions === undefined) return ok(SESSIONS, `the token tells no limit; ${ofAll} are used`);
  const told = `the token allows ${maxSessions}`;
  const most = Math.floor(maxSessions / workers) - OTHER_SESSIONS;
  const hint =
    most > 0
      ? `set token.sessionsPerWorker to at most ${most}`
      : `set token.workers to 1 and token.sessionsPerWorker to at most ${Math.max(1, maxSessions - OTHER_SESSIONS)}`;
  if (ofOne > maxSessions) return fail(SESSIONS, `${told}, and each worker opens ${ofOne}`, hint);
  if (ofAll <= maxSessions) return ok(SESSIONS, `${told}, ${ofAll} are used`);
  const message = `${told}, and all workers together open ${ofAll}: enough only if the token counts each process by itself`;
  return warn(SESSIONS, message, `unless its manual says that it does: ${hint}`);
}

function findBroken(capabilities: readonly Capability[]): readonly Finding[] {
  return capabilities
    .filter(({ verdict }) => verdict === 'broken')
    .map(({ algorithm, problem = '' }) =>
      warn(NAME, `${algorithm} does not work: ${problem}`, 'choose another algorithm; keyturn refuses such keys'),
    );
}

const MECHANISM_NAMES: ReadonlyMap<number, string> = new Map([
  [0x0001, 'CKM_RSA_PKCS'],
  [0x000d, 'CKM_RSA_PKCS_PSS'],
  [0x001d, 'CKM_ML_DSA'],
  [0x1041, 'CKM_ECDSA'],
  [0x1057, 'CKM_EDDSA'],
]);

function mechanismOf(algorithm: Algorithm): string {
  return MECHANISM_NAMES.get(specOf(algorithm).signMechanism) ?? '';
}

export function describeCapabilities(capabilities: readonly Capability[]): string[] {
  const rows = capabilities.map(({ algorithm, rsaBits, verdict, generateMs, signaturesPerSecond }) => [
    algorithm,
    rsaBits === undefined ? '' : String(rsaBits),
    mechanismOf(algorithm),
    verdict,
    generateMs === undefined ? '' : `${Math.round(generateMs)} ms`,
    signaturesPerSecond === undefined ? '' : `${Math.round(signaturesPerSecond)}/s`,
  ]);
  return formatTable(['ALGORITHM', 'BITS', 'MECHANISM', 'TRIED', 'KEY PAIR', 'SIGNATURES'], rows);
}
