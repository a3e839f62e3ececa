/** Runs worlds, one seed after the other, until so many years have passed or an invariant is violated. */
import { Counts } from './counts.ts';
import { drawScenario, MIX, type Scenario } from './scenario.ts';
import { shrink } from './shrink.ts';
import type { SourceModules } from './sources.ts';
import { type MakeSubject, type Outcome, World } from './world.ts';

const YEAR_MS = 365.25 * 86_400_000;
/** Worlds have seeds of their own: the first is the run's seed times this. */
const SEEDS_PER_RUN = 10_000_000;

export interface Simulation {
  readonly years: number;
  readonly yearsByMix: Readonly<Record<string, number>>;
  readonly worlds: number;
  readonly counts: Counts;
  /** Shrunk; undefined when every world kept every invariant. */
  readonly failure: Outcome | undefined;
}

export interface SimulationOptions {
  readonly sources: SourceModules;
  readonly makeSubject: MakeSubject;
  readonly seed: number;
  readonly years: number;
  /** Applied to every scenario; the rules of others don't know all happenings. */
  readonly adapt?: (scenario: Scenario) => Scenario;
  /** Worlds at the most. */
  readonly maxWorlds?: number;
}

export async function simulate(options: SimulationOptions): Promise<Simulation> {
  const { sources, makeSubject, seed, adapt = (scenario) => scenario, maxWorlds = SEEDS_PER_RUN } = options;
  const counts = new Counts();
  const yearsByMix: Record<string, number> = Object.fromEntries(MIX.map(({ name }) => [name, 0]));
  let years = 0;
  let worlds = 0;
  for (; worlds < maxWorlds && years < options.years; worlds += 1) {
    const scenario = adapt(drawScenario(seed * SEEDS_PER_RUN + worlds, sources));
    const outcome = await new World(scenario, makeSubject, false).run();
    counts.addAll(outcome.counts);
    years += scenario.durationMs / YEAR_MS;
    yearsByMix[scenario.mix] = (yearsByMix[scenario.mix] ?? 0) + scenario.durationMs / YEAR_MS;
    if (outcome.violation !== undefined) {
      const failure = await shrink(outcome, (smaller) => new World(smaller, makeSubject, true).run());
      return { years, yearsByMix, worlds: worlds + 1, counts, failure };
    }
  }
  return { years, yearsByMix, worlds, counts, failure: undefined };
}
