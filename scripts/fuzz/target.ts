/**
 * What fuzzing does with each target: makes inputs from a seed, judges each, and shrinks the first that fails. A judge
 * throws at whatever must not be: a crash, an error outside the closed list, something let through; it must be quick.
 */
import fc from 'fast-check';
import { KeyturnError } from '../../src/base/errors.ts';

/** No input may take longer; measured again before it counts, since the machine does other things, too. */
const MAX_INPUT_MS = 250;
const MEASUREMENTS = 3;
const MAX_SHOWN_CHARACTERS = 4_000;

export const ACCEPTED = 'accepted';

export interface TargetResult {
  readonly name: string;
  readonly seed: number;
  readonly inputs: number;
  /** How often each outcome was seen: `accepted`, or the reason of a refusal. */
  readonly outcomes: Readonly<Record<string, number>>;
  readonly slowestMs: number;
  /** The smallest input found that fails, and how it fails. */
  readonly failure?: { readonly input: string; readonly problem: string };
}

export interface Target {
  readonly name: string;
  /** Its part of all inputs, relative to the others'. */
  readonly weight: number;
  run(inputs: number, seed: number): Promise<TargetResult>;
}

/** What is needed of fast-check's own. */
interface RunOutcome {
  readonly failed: boolean;
  readonly counterexample: readonly unknown[] | null;
  readonly errorInstance?: unknown;
}

/** Counts outcomes and times of one run. */
class Tally {
  readonly outcomes: Record<string, number> = {};
  inputs = 0;
  slowestMs = 0;

  add(outcome: string, tookMs: number): void {
    this.inputs += 1;
    this.outcomes[outcome] = (this.outcomes[outcome] ?? 0) + 1;
    this.slowestMs = Math.max(this.slowestMs, tookMs);
  }

  toResult(name: string, seed: number, details: RunOutcome): TargetResult {
    const { inputs, outcomes, slowestMs } = this;
    const result = { name, seed, inputs, outcomes, slowestMs: Math.round(slowestMs) };
    return details.failed ? { ...result, failure: toFailure(details) } : result;
  }
}

function toFailure({ counterexample, errorInstance }: RunOutcome): NonNullable<TargetResult['failure']> {
  const problem = describe(errorInstance);
  return {
    input: shown(counterexample?.[0]),
    problem: problem.slice(0, MAX_SHOWN_CHARACTERS),
  };
}

function describe(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const text = thrown.stack ?? thrown.message;
  return thrown.cause === undefined ? text : `${text}\ncaused by ${describe(thrown.cause)}`;
}

/** `judge` returns the outcome. */
export function pureTarget<T>(
  name: string,
  weight: number,
  arbitrary: fc.Arbitrary<T>,
  judge: (input: T) => string,
): Target {
  const timed = (input: T): { outcome: string; tookMs: number } => {
    const startedMs = performance.now();
    const outcome = judge(input);
    return { outcome, tookMs: performance.now() - startedMs };
  };
  return {
    name,
    weight,
    run(inputs, seed) {
      const tally = new Tally();
      const property = fc.property(arbitrary, (input) => {
        const { outcome, tookMs: firstMs } = timed(input);
        let tookMs = firstMs;
        for (let again = 1; again < MEASUREMENTS && tookMs > MAX_INPUT_MS; again += 1)
          tookMs = Math.min(tookMs, timed(input).tookMs);
        if (tookMs > MAX_INPUT_MS) throw new Error(`took ${Math.round(tookMs)} ms`);
        tally.add(outcome, tookMs);
      });
      return Promise.resolve(tally.toResult(name, seed, fc.check(property, { seed, numRuns: inputs })));
    },
  };
}

/** For inputs that travel: `judge` gets so many at a time, and returns their outcomes. */
export function batchTarget<T>(
  name: string,
  weight: number,
  arbitrary: fc.Arbitrary<T>,
  batchSize: number,
  judge: (inputs: readonly T[]) => Promise<readonly string[]>,
): Target {
  return {
    name,
    weight,
    async run(inputs, seed) {
      const tally = new Tally();
      const batch = fc.array(arbitrary, { minLength: batchSize, maxLength: batchSize });
      let failing: T | undefined;
      const property = fc.asyncProperty(batch, async (items) => {
        const startedMs = performance.now();
        const outcomes = await judge(items).catch(async (finding: unknown) => {
          failing = (await findFailing(items, judge)) ?? failing;
          throw finding;
        });
        const eachMs = (performance.now() - startedMs) / items.length;
        for (const outcome of outcomes) tally.add(outcome, eachMs);
      });
      const numRuns = Math.max(1, Math.ceil(inputs / batchSize));
      const result = tally.toResult(name, seed, await fc.check(property, { seed, numRuns }));
      const { failure } = result;
      return failure === undefined || failing === undefined
        ? result
        : { ...result, failure: { ...failure, input: shown(failing) } };
    },
  };
}

/** The one of a batch that fails by itself, where one does. */
async function findFailing<T>(
  items: readonly T[],
  judge: (inputs: readonly T[]) => Promise<readonly string[]>,
): Promise<T | undefined> {
  for (const item of items) {
    const hasFailed = await judge([item]).then(
      () => false,
      () => true,
    );
    if (hasFailed) return item;
  }
  return undefined;
}

/** Bytes as text that can be read, and typed back. */
function shown(input: unknown): string {
  const text = fc.stringify(input).slice(0, MAX_SHOWN_CHARACTERS);
  return input instanceof Uint8Array ? `${JSON.stringify(Buffer.from(input).toString('latin1'))} ${text}` : text;
}

/** The reason of a refusal that is foreseen; anything else is a finding. */
export function requireReason(thrown: unknown): string {
  if (thrown instanceof KeyturnError && thrown.reason !== 'INTERNAL') return thrown.reason;
  throw new Error('not an error of the closed list', { cause: thrown });
}

export function require(condition: boolean, problem: string): void {
  if (!condition) throw new Error(problem);
}
