/**
 * What a token can do, tried out: for every algorithm a throw-away key pair is made, proven, signed with in every
 * session and destroyed. Works through the HSM port alone, so it sees what the daemon would see. Keys that several
 * algorithms can use are made once.
 */
import type { Clock } from '../base/clock.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import { parseCallerName, parseCkaId } from '../base/ids.ts';
import { type Algorithm, ALGORITHMS, type KeySpec, RSA_BITS, type RsaBits, specOf } from '../jose/algorithms.ts';
import type { Hsm, SignRequest } from './hsm.ts';

export interface Capability {
  readonly algorithm: Algorithm;
  readonly rsaBits: RsaBits | undefined;
  /** `missing`: the token has no mechanism for it; `broken`: it has, yet what came out can't be used. */
  readonly verdict: 'works' | 'missing' | 'broken';
  /** Why it doesn't work, as the daemon would say it. */
  readonly problem: string | undefined;
  /** How long the key pair took; undefined when none was made for this row. */
  readonly generateMs: number | undefined;
  readonly signaturesPerSecond: number | undefined;
}

export interface CapabilityTrial {
  readonly hsm: Hsm;
  readonly clock: Clock;
  readonly randomBytes: (count: number) => Uint8Array;
  /** Requests in flight while the speed is measured. */
  readonly concurrency: number;
  /** Called before each key pair is made. */
  readonly onProgress: (what: string) => void;
}

/** Not under keyturn's own prefix: a daemon on the same token must not take a throw-away key for an orphan. */
const LABEL = 'keyturn-doctor/throw-away';
const CALLER = parseCallerName('doctor');
const SPEED_MS = 300;
const SIGN_DEADLINE_MS = 10_000;
const INPUT_BYTES = 256;

type Key = Pick<SignRequest, 'ckaId' | 'publicKey'>;

export async function tryCapabilities(trial: CapabilityTrial): Promise<readonly Capability[]> {
  const capabilities: Capability[] = [];
  for (const group of groupsOfKeys()) capabilities.push(...(await tryGroup(trial, group)));
  return capabilities;
}

/** Algorithms that can share a key pair: the key type and its parameters are the same. */
export function groupsOfKeys(): readonly (readonly KeySpec[])[] {
  const groups = new Map<string, KeySpec[]>();
  for (const spec of ALGORITHMS.flatMap(toKeySpecs)) {
    const kind = kindOf(spec);
    groups.set(kind, [...(groups.get(kind) ?? []), spec]);
  }
  return [...groups.values()];
}

/** Larger RSA keys with one algorithm only: the mechanism is the same. */
function toKeySpecs(algorithm: Algorithm): readonly KeySpec[] {
  const spec = specOf(algorithm);
  if (spec.keyType !== 'RSA') return [{ algorithm }];
  const sizes = algorithm === 'RS256' ? RSA_BITS : RSA_BITS.slice(0, 1);
  return sizes.map((rsaBits) => ({ algorithm, rsaBits }));
}

function kindOf({ algorithm, rsaBits }: KeySpec): string {
  const spec = specOf(algorithm);
  switch (spec.keyType) {
    case 'RSA':
      return `RSA ${rsaBits ?? 0}`;
    case 'EC':
    case 'OKP':
      return spec.curve;
    case 'AKP':
      return spec.akp;
  }
}

async function tryGroup(trial: CapabilityTrial, group: readonly KeySpec[]): Promise<readonly Capability[]> {
  const { hsm, clock, randomBytes, onProgress } = trial;
  const [first] = group;
  if (first === undefined) return [];
  onProgress(kindOf(first));
  const ckaId = parseCkaId(Buffer.from(randomBytes(16)).toString('hex'));
  const startMs = clock.monotonicMs();
  try {
    const { publicKey } = await hsm.generateKeyPair({ ckaId, ckaLabel: LABEL, spec: first });
    const generateMs = clock.monotonicMs() - startMs;
    const capabilities: Capability[] = [];
    for (const spec of group) {
      const isFirst = spec === first;
      capabilities.push(await trySigning(trial, spec, { ckaId, publicKey }, isFirst ? generateMs : undefined));
    }
    return capabilities;
  } catch (thrown) {
    return group.map((spec) => toFailure(spec, toKeyturnError(thrown), undefined));
  } finally {
    await destroy(trial, ckaId);
  }
}

async function trySigning(
  { hsm, clock, randomBytes, concurrency }: CapabilityTrial,
  spec: KeySpec,
  key: Key,
  generateMs: number | undefined,
): Promise<Capability> {
  const { algorithm, rsaBits } = spec;
  const sign = (): Promise<Uint8Array> =>
    hsm.sign({
      ...key,
      algorithm,
      signingInput: randomBytes(INPUT_BYTES),
      deadlineMs: clock.monotonicMs() + SIGN_DEADLINE_MS,
      caller: CALLER,
      mustVerify: true,
      isCanary: false,
    });
  try {
    await hsm.tryKey({ ...key, algorithm });
    const startMs = clock.monotonicMs();
    let signatures = 0;
    const signInTurn = async (): Promise<void> => {
      while (clock.monotonicMs() - startMs < SPEED_MS) {
        await sign();
        signatures += 1;
      }
    };
    await Promise.all(Array.from({ length: concurrency }, signInTurn));
    const signaturesPerSecond = signatures / ((clock.monotonicMs() - startMs) / 1_000);
    return { algorithm, rsaBits, verdict: 'works', problem: undefined, generateMs, signaturesPerSecond };
  } catch (thrown) {
    return toFailure(spec, toKeyturnError(thrown), generateMs);
  }
}

function toFailure({ algorithm, rsaBits }: KeySpec, error: KeyturnError, generateMs: number | undefined): Capability {
  const verdict = error.reason === 'ALGORITHM_NOT_SUPPORTED' ? 'missing' : 'broken';
  return { algorithm, rsaBits, verdict, problem: error.message, generateMs, signaturesPerSecond: undefined };
}

async function destroy({ hsm }: CapabilityTrial, ckaId: Key['ckaId']): Promise<void> {
  try {
    await hsm.destroyKeyPair(ckaId);
  } catch (cause) {
    throw new KeyturnError(
      'TOKEN_OPERATION_FAILED',
      `the throw-away key pair with CKA_ID ${ckaId} (${LABEL}) could not be destroyed; remove it by the vendor's means`,
      { cause },
    );
  }
}
