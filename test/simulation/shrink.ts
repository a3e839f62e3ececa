/**
 * Makes a failing scenario small: leaves happenings out, in ever smaller portions, as long as the run still violates
 * the same invariant (delta debugging, after Zeller), and then signing keys and verifiers one by one.
 */
import type { Scenario } from './scenario.ts';
import type { Outcome } from './world.ts';

/** Runs that shrinking may take. */
const MAX_RUNS = 300;

export async function shrink(failed: Outcome, run: (scenario: Scenario) => Promise<Outcome>): Promise<Outcome> {
  let best = failed;
  let runs = 0;
  const stillFails = async (scenario: Scenario): Promise<boolean> => {
    if (runs >= MAX_RUNS) return false;
    runs += 1;
    const outcome = await run(scenario);
    if (outcome.violation?.invariant !== failed.violation?.invariant) return false;
    best = outcome;
    return true;
  };
  const upTo = ({ scenario, violation }: Outcome): Scenario => ({
    ...scenario,
    durationMs: (violation?.atMs ?? scenario.startMs) - scenario.startMs + 1,
    happenings: scenario.happenings.filter(({ atMs }) => scenario.startMs + atMs <= (violation?.atMs ?? Infinity)),
  });
  await stillFails(upTo(best));
  let portion = Math.ceil(best.scenario.happenings.length / 2);
  while (portion >= 1) {
    let hasShrunk = false;
    for (let start = 0; start < best.scenario.happenings.length; ) {
      const { scenario } = best;
      const happenings = scenario.happenings.filter((_, index) => index < start || index >= start + portion);
      if (await stillFails({ ...scenario, happenings })) hasShrunk = true;
      else start += portion;
    }
    if (portion === 1 && !hasShrunk) break;
    portion = portion === 1 ? 1 : Math.floor(portion / 2);
  }
  for (let index = best.scenario.verifiers.length - 1; index >= 0 && best.scenario.verifiers.length > 1; index -= 1) {
    const { scenario } = best;
    await stillFails({ ...scenario, verifiers: scenario.verifiers.filter((_, other) => other !== index) });
  }
  // Happenings name signing keys by their place, so only the last ones can go.
  for (let count = best.scenario.keys.length - 1; count >= 1; count -= 1) {
    const { scenario } = best;
    const isUsed = scenario.happenings.some((happening) => 'key' in happening && happening.key >= count);
    if (isUsed || !(await stillFails({ ...scenario, keys: scenario.keys.slice(0, count) }))) break;
  }
  // The same sooner: the last happening moves ahead, and takes all that came before it along.
  for (let share = 1 / 2; share > 1 / 64; share /= 2) {
    const { scenario } = best;
    const happenings = scenario.happenings.map((happening) => ({
      ...happening,
      atMs: Math.round(happening.atMs * share),
    }));
    await stillFails({ ...scenario, happenings });
  }
  await stillFails(upTo(best));
  return best;
}
