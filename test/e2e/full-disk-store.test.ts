/** The store on a small disk that fills up, under processes that are killed or closed at any moment: some seeded rounds. */
import { describe, expect, it } from 'vitest';
import { fillAgainAndAgain } from '../../scripts/full-disk/store-rounds.ts';
import { NO_SMALL_DISK } from '../fixtures/small-disk.ts';

const ROUNDS = 12;
/** A checkpoint runs out of room in its third round, and the process is killed. */
const SEED = 5;

describe.skipIf(NO_SMALL_DISK !== undefined)('a store whose disk fills up', () => {
  it('has what was durable at each start, and is never called damaged', async () => {
    const { problems, kills, refused, durable } = await fillAgainAndAgain(ROUNDS, SEED, () => undefined);
    expect(problems).toEqual([]);
    expect(kills).toBeGreaterThan(0);
    expect(refused).toBeGreaterThan(0);
    expect(durable).toBeGreaterThan(0);
  });
});
