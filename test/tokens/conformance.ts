/**
 * The conformance suite: keyturn's own HSM pool and daemon over a token, one check after the other, each of them tried.
 * What the module does when it is left alone comes from raw-module.ts; a check is `caught` when the module misbehaves
 * there and the daemon, asked for the same, lets nothing through.
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { KeyturnError } from '../../src/base/errors.ts';
import { systemClock } from '../../src/base/system-clock.ts';
import { type Capability, groupsOfKeys, tryCapabilities } from '../../src/hsm/capabilities.ts';
import type { Hsm, SignRequest, WorkerStatus } from '../../src/hsm/hsm.ts';
import { type Algorithm, type KeySpec, specOf } from '../../src/jose/algorithms.ts';
import { eventually, MemoryLatch, openPool, randomCkaId, signRequest } from '../fixtures/hsm-pool.ts';
import { cell, type Cell, tryCell } from './cells.ts';
import { checkDaemon } from './daemon-checks.ts';
import { readPinFlags } from './pin-flags.ts';
import { plantPin } from './planted-pin.ts';
import type { RawOrder, RawTraits } from './raw-module.ts';
import type { TestToken } from './set-up.ts';
import { checkWrongSignatures } from './wrong-signatures.ts';

const run = promisify(execFile);
const RAW_TIMEOUT_MS = 120_000;
/** A loaded machine with a slow token. */
const READY_TIMEOUT_MS = 90_000;
const MANY_SESSIONS = 8;
const WORKERS = 2;
/** A TPM makes an RSA key in seconds, and signs in tens of milliseconds. */
const PATIENT = { generateTimeoutMs: 120_000, signTimeoutMs: 10_000 };

type Key = Pick<SignRequest, 'ckaId' | 'algorithm' | 'publicKey'>;

type Progress = (what: string) => void;

/** Runs checks one after the other and keeps what came of each. */
class Checklist {
  readonly cells: Cell[] = [];
  readonly #onProgress: Progress;

  constructor(onProgress: Progress) {
    this.#onProgress = onProgress;
  }

  async check(name: string, act: () => Promise<Cell>): Promise<void> {
    this.#onProgress(name);
    this.cells.push(await tryCell(name, act));
  }
}

export async function runConformance(token: TestToken, onProgress: Progress): Promise<readonly Cell[]> {
  const list = new Checklist(onProgress);
  const { cells } = list;
  let mlDsa: readonly Algorithm[] = [];
  const hsm = openPool(token, PATIENT);
  try {
    await list.check('open', async () => {
      await whenAllReady(hsm);
      const { manufacturer = '', model = '', firmwareVersion = '' } = hsm.status();
      return cell('open', 'ok', `${manufacturer} ${model} ${firmwareVersion}, ${WORKERS} workers`);
    });
    if (cells[0]?.verdict !== 'ok') return cells;
    const capabilities = await tryCapabilities({
      hsm,
      clock: systemClock,
      randomBytes,
      concurrency: WORKERS,
      onProgress: (what) => {
        onProgress(`key pair ${what}`);
      },
    });
    mlDsa = capabilities.filter(isWorkingMlDsa).map(({ algorithm }) => algorithm);
    const key = await makeKnownKey(hsm);
    const mlDsaKeys = await Promise.all(mlDsa.map((algorithm) => makeKey(hsm, { algorithm })));
    const traits = await readTraits(hsm, token, [key, ...mlDsaKeys], findUndone(capabilities));
    for (const { ckaId } of mlDsaKeys) await hsm.destroyKeyPair(ckaId);
    cells.push(...capabilities.map((capability) => toCell(capability, traits)));
    await checkMisbehaviour(list, hsm, key, traits);
    await list.check('worker-loss', () => checkWorkerLoss(hsm, key));
    await hsm.close(2_000);
    await list.check('sessions', () => checkSessions(token, key, traits));
    await list.check('restart', () => checkRestart(token, key));
    if (mlDsa.length > 0) await list.check('wrong-ml-dsa', () => checkWrongSignatures(token, mlDsa));
    await list.check('wrong-pin', () => checkWrongPin(token));
  } finally {
    await hsm.close(2_000);
  }
  cells.push(...(await checkDaemon(token, mlDsa, onProgress)));
  return cells;
}

/** A part of it that takes seconds: whether a key signs, and what the module does when it is left alone. */
export async function runShortConformance(token: TestToken): Promise<readonly Cell[]> {
  const list = new Checklist(() => undefined);
  const hsm = openPool(token, PATIENT);
  try {
    await whenAllReady(hsm);
    const key = await makeKnownKey(hsm);
    await checkMisbehaviour(list, hsm, key, await readTraits(hsm, token, [key], []));
    await list.check('worker-loss', () => checkWorkerLoss(hsm, key));
    return list.cells;
  } finally {
    await hsm.close(2_000);
  }
}

async function checkMisbehaviour(list: Checklist, hsm: Hsm, key: Key, traits: RawTraits): Promise<void> {
  list.cells.push(secretsCell(traits));
  await list.check('cka-id', () => checkCkaId(hsm, key, traits));
  await list.check('stale-handle', () => checkStaleHandle(hsm, traits));
}

function whenAllReady(hsm: Hsm): Promise<void> {
  const isReady = ({ state }: WorkerStatus): boolean => state === 'ready';
  return eventually(() => hsm.status().workers.filter(isReady).length === WORKERS, READY_TIMEOUT_MS);
}

async function makeKey(hsm: Hsm, spec: KeySpec = { algorithm: 'RS256', rsaBits: 2048 }): Promise<Key> {
  const ckaId = randomCkaId();
  const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: `keyturn/conformance/${ckaId}`, spec });
  return { ckaId, algorithm: spec.algorithm, publicKey };
}

/** As before it is used: workers whose module doesn't show it have made way for others (TPM2). */
async function makeKnownKey(hsm: Hsm): Promise<Key> {
  await whenAllReady(hsm);
  const key = await makeKey(hsm);
  await hsm.tryKey(key);
  await whenAllReady(hsm);
  return key;
}

function isWorkingMlDsa({ algorithm, verdict }: Capability): boolean {
  return verdict === 'works' && specOf(algorithm).keyType === 'AKP';
}

/** Of each group of keys one that the daemon could not make. */
function findUndone(capabilities: readonly Capability[]): readonly KeySpec[] {
  const isDone = ({ algorithm, rsaBits }: KeySpec): boolean =>
    capabilities.some(
      (tried) => tried.algorithm === algorithm && tried.rsaBits === rsaBits && tried.verdict === 'works',
    );
  return groupsOfKeys().flatMap((group) => (group.some(isDone) ? [] : group.slice(0, 1)));
}

async function readTraits(
  hsm: Hsm,
  token: TestToken,
  keys: readonly Key[],
  generate: readonly KeySpec[],
): Promise<RawTraits> {
  // A worker that begins beside it could hold the token's own database (seen with tpm2-pkcs11).
  await whenAllReady(hsm);
  const { moduleFile, moduleParameters, pinFile, environment } = token.config;
  const { stdout } = await run(
    process.execPath,
    [
      fileURLToPath(new URL('./raw-module.ts', import.meta.url)),
      JSON.stringify({
        moduleFile,
        moduleParameters,
        label: token.label,
        pinFile,
        keys: keys.map(({ ckaId, algorithm }) => ({ ckaId, algorithm })),
        generate,
      } satisfies RawOrder),
    ],
    { timeout: RAW_TIMEOUT_MS, env: { PATH: process.env['PATH'] ?? '', ...environment } },
  );
  return JSON.parse(stdout) as RawTraits;
}

export function nameOf({ algorithm, rsaBits }: Pick<Capability, 'algorithm' | 'rsaBits'>): string {
  return rsaBits === undefined || rsaBits === 2048 ? algorithm : `${algorithm}-${rsaBits}`;
}

/**
 * `caught`: the module makes such a key when nobody looks, but not one that the daemon would use. `missing` also when the
 * module refuses by itself, whatever the template: not every token says what it lacks (Kryoptic: CKR_GENERAL_ERROR).
 */
function toCell(capability: Capability, { generated }: RawTraits): Cell {
  const { verdict, problem = '', generateMs, signaturesPerSecond } = capability;
  const check = nameOf(capability);
  if (verdict === 'works') {
    const made = generateMs === undefined ? '' : `, made in ${Math.round(generateMs)} ms`;
    return cell(check, 'ok', `${Math.round(signaturesPerSecond ?? 0)}/s${made}`);
  }
  const alone = generated[check];
  const said = alone === undefined ? '' : ` (the module by itself: ${alone})`;
  const isMissing = verdict === 'missing' || alone?.startsWith('refused') === true;
  return cell(check, alone === 'made' ? 'caught' : isMissing ? 'missing' : 'failed', `${problem}${said}`);
}

function secretsCell({ secrets }: RawTraits): Cell {
  const lines = Object.entries(secrets).map(([what, outcome]) => `${what}: ${outcome}`);
  const isLeaking = lines.some((line) => /RETURNED|COPIED|not found/.test(line));
  const isLoose = lines.some((line) => line.endsWith('accepted'));
  const accepted = lines.filter((line) => line.endsWith('accepted')).join(', ');
  if (isLeaking) return cell('secrets', 'failed', lines.join('; '));
  return isLoose ? cell('secrets', 'caught', accepted) : cell('secrets', 'ok', `${lines.length} attempts refused`);
}

async function checkCkaId(hsm: Hsm, key: Key, { sameCkaId }: RawTraits): Promise<Cell> {
  const spec: KeySpec = { algorithm: 'RS256', rsaBits: 2048 };
  const again = await refusalOf(hsm.generateKeyPair({ ckaId: key.ckaId, ckaLabel: 'keyturn/conformance/again', spec }));
  await hsm.sign(signRequest(key, 'the first key is still there', 10_000));
  const verdict = sameCkaId === '2 keys' || sameCkaId.startsWith('refused') ? 'ok' : 'caught';
  return cell('cka-id', verdict, `a second key is refused (${again.reason}); the module by itself: ${sameCkaId}`);
}

async function checkStaleHandle(hsm: Hsm, traits: RawTraits): Promise<Cell> {
  const gone = await makeKey(hsm);
  await hsm.sign(signRequest(gone, 'before', 10_000));
  const { destroyedObjects } = await hsm.destroyKeyPair(gone.ckaId);
  const next = await makeKey(hsm);
  const refusal = await refusalOf(hsm.sign(signRequest(gone, 'after', 10_000)));
  await hsm.sign(signRequest(next, 'and the next key', 10_000));
  await hsm.destroyKeyPair(next.ckaId);
  const fates = [traits.handleAfterDestroy, traits.handleAfterSessions, traits.handleAfterLogin];
  const isWrong = fates.some((fate) => fate.startsWith('signs with another') || fate.startsWith('signs with a key'));
  return cell(
    'stale-handle',
    isWrong ? 'caught' : 'ok',
    `${destroyedObjects} objects destroyed, then ${refusal.reason}; the module by itself, after a destruction: ${fates[0]}; after the sessions' end: ${fates[1]}; after a new login: ${fates[2]}`,
  );
}

async function checkWorkerLoss(hsm: Hsm, key: Key): Promise<Cell> {
  const victim = hsm.status().workers.find(({ state }) => state === 'ready');
  if (victim === undefined) throw new Error('no worker is ready');
  const load = Array.from({ length: 64 }, (_, index) => hsm.sign(signRequest(key, `under way ${index}`, 20_000)));
  const startMs = systemClock.monotonicMs();
  process.kill(victim.pid, 'SIGKILL');
  await Promise.all(load);
  await eventually(() => hsm.status().workerRestarts > 0, READY_TIMEOUT_MS);
  await whenAllReady(hsm);
  const tookMs = Math.round(systemClock.monotonicMs() - startMs);
  return cell('worker-loss', 'ok', `64 of 64 requests signed; two workers again after ${tookMs} ms`);
}

async function checkSessions(token: TestToken, key: Key, { maxSessions }: RawTraits): Promise<Cell> {
  const hsm = openPool(token, { ...PATIENT, sessionsPerWorker: MANY_SESSIONS });
  try {
    await whenAllReady(hsm);
    await hsm.tryKey(key);
    const signed = Array.from({ length: 64 }, (_, index) => hsm.sign(signRequest(key, `${index}`, 20_000)));
    await Promise.all(signed);
    return cell('sessions', 'ok', `${WORKERS} × ${MANY_SESSIONS} sessions sign; one process opens ${maxSessions}`);
  } finally {
    await hsm.close(2_000);
  }
}

async function checkRestart(token: TestToken, key: Key): Promise<Cell> {
  const hsm = openPool(token, PATIENT);
  try {
    await whenAllReady(hsm);
    const listed = (await hsm.listKeys()).filter(({ ckaId }) => ckaId === key.ckaId);
    const [found] = listed;
    if (listed.length !== 1 || found?.privateKeys !== 1 || found.publicKeys !== 1)
      throw new Error(`the key is listed as ${JSON.stringify(listed)}`);
    await hsm.tryKey(key);
    const { destroyedObjects } = await hsm.destroyKeyPair(key.ckaId);
    if ((await hsm.listKeys()).some(({ ckaId }) => ckaId === key.ckaId)) throw new Error('destroyed, yet listed');
    return cell('restart', 'ok', `found, signed with, and destroyed (${destroyedObjects} objects)`);
  } finally {
    await hsm.close(2_000);
  }
}

/** Two workers, one attempt: a token that locks itself after three must not notice more than one. */
async function checkWrongPin(token: TestToken): Promise<Cell> {
  const latch = new MemoryLatch();
  const planted = plantPin('00000000');
  const hsm = openPool(token, PATIENT, { latch, openPin: () => planted.openPlanted() });
  try {
    await eventually(() => hsm.status().state === 'unavailable', READY_TIMEOUT_MS);
    if (latch.reason === undefined) throw new Error(`no latch: ${hsm.status().message ?? ''}`);
  } finally {
    await hsm.close(2_000);
    planted.dispose();
  }
  const flags = await readPinFlags(token);
  // After two failures of three a token says that the next try is the last one.
  if (flags.some((flag) => flag !== 'USER_PIN_COUNT_LOW')) throw new Error(`tried more than once: ${flags.join(', ')}`);
  const again = openPool(token, PATIENT);
  try {
    await whenAllReady(again);
  } finally {
    await again.close(2_000);
  }
  return cell(
    'wrong-pin',
    'ok',
    `refused, latched (${latch.reason}); the token's flags: ${flags.join(', ') || 'none'}; the right PIN is still taken`,
  );
}

async function refusalOf(promise: Promise<unknown>): Promise<KeyturnError> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof KeyturnError) return error;
    throw error;
  }
  throw new Error('it was not refused');
}
