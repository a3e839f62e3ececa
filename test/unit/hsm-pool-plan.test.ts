import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planPool, type PlannedWorker, type PoolFacts } from '../../src/hsm/pool-plan.ts';

const READY = { state: 'ready', isOutdated: false } as const;
const STARTING = { state: 'starting', isOutdated: false } as const;
const OUTDATED = { state: 'ready', isOutdated: true } as const;
const FOREVER = { kind: 'wait', waitMs: Number.POSITIVE_INFINITY } as const;

function facts(changes: Partial<PoolFacts<PlannedWorker>> = {}): PoolFacts<PlannedWorker> {
  const waits = { loginWaitMs: 0, startWaitMs: 0, spareWaitMs: 0 };
  return { wantedWorkers: 2, workers: [READY, READY], hasSpare: true, ...waits, ...changes };
}

describe('the plan of the pool', () => {
  it('waits for a change when everything is there', () => {
    expect(planPool(facts())).toEqual(FOREVER);
  });

  it('starts a worker that is missing, when the delays are over', () => {
    expect(planPool(facts({ workers: [READY] }))).toEqual({ kind: 'start' });
    const waits = { loginWaitMs: 300, startWaitMs: 200 };
    expect(planPool(facts({ workers: [READY], ...waits }))).toEqual({ kind: 'wait', waitMs: 300 });
  });

  it('starts the spare when all workers are ready, and only then', () => {
    expect(planPool(facts({ hasSpare: false }))).toEqual({ kind: 'startSpare' });
    expect(planPool(facts({ hasSpare: false, spareWaitMs: 70 }))).toEqual({ kind: 'wait', waitMs: 70 });
    expect(planPool(facts({ hasSpare: false, workers: [READY, STARTING] }))).toEqual(FOREVER);
  });

  it('waits for an operator when a worker is missing and nobody may log in', () => {
    const latched = { loginWaitMs: Number.POSITIVE_INFINITY };
    expect(planPool(facts({ workers: [READY], ...latched }))).toEqual({ kind: 'waitForOperator' });
    expect(planPool(facts({ workers: [OUTDATED, OUTDATED], ...latched }))).toEqual({ kind: 'waitForOperator' });
    expect(planPool(facts(latched))).toEqual(FOREVER);
  });

  it('lets one try to reach a token that is away, not all of them', () => {
    expect(planPool(facts({ workers: [STARTING] }))).toEqual(FOREVER);
    expect(planPool(facts({ workers: [STARTING, OUTDATED] }))).toEqual({ kind: 'start' });
  });

  it('has a successor ready before a worker with an old login goes', () => {
    expect(planPool(facts({ workers: [OUTDATED, OUTDATED] }))).toEqual({ kind: 'start' });
    expect(planPool(facts({ workers: [OUTDATED, OUTDATED, STARTING] }))).toEqual(FOREVER);
    expect(planPool(facts({ workers: [OUTDATED, OUTDATED, READY] }))).toEqual({ kind: 'retire', worker: OUTDATED });
  });
});

/** A pool in a few numbers: what its processes do, told by chance, while the plan is obeyed to the letter. */
class Pool {
  readonly wantedWorkers: number;
  workers: PlannedWorker[] = [];
  hasSpare = false;
  isLatched = false;

  constructor(wantedWorkers: number) {
    this.wantedWorkers = wantedWorkers;
  }

  /** One step of the plan; false when there is nothing to do. */
  step(opens: 'opens' | 'goesOnOpening' | 'fails' | 'isRefused'): boolean {
    const step = planPool({
      wantedWorkers: this.wantedWorkers,
      workers: this.workers,
      hasSpare: this.hasSpare,
      loginWaitMs: this.isLatched ? Number.POSITIVE_INFINITY : 0,
      startWaitMs: 0,
      spareWaitMs: 0,
    });
    if (step.kind === 'retire') this.end(step.worker);
    if (step.kind === 'startSpare') this.hasSpare = true;
    if (step.kind === 'start') {
      expect(this.isLatched).toBe(false);
      this.hasSpare = false;
      if (opens === 'opens') this.workers = [...this.workers, { ...READY }];
      if (opens === 'goesOnOpening') this.workers = [...this.workers, { ...STARTING }];
      this.isLatched = opens === 'isRefused';
    }
    return step.kind !== 'wait' && step.kind !== 'waitForOperator';
  }

  end(gone: PlannedWorker | undefined): void {
    this.workers = this.workers.filter((worker) => worker !== gone);
  }

  /** As SIGHUP does: what still opens the token is killed. */
  renewLogins(): void {
    this.workers = this.workers.filter(({ state }) => state === 'ready').map(() => ({ ...OUTDATED }));
  }

  /** The repair of a token that was away has come to an end. */
  settle(state: 'ready' | 'starting'): void {
    this.workers = this.workers.map(({ isOutdated }) => ({ state, isOutdated }));
  }
}

type Happening = (pool: Pool) => void;

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  fc.constantFrom<Happening>(
    ...(['opens', 'goesOnOpening', 'fails', 'isRefused'] as const).map((how) => (pool: Pool) => {
      pool.step(how);
    }),
    (pool) => {
      pool.hasSpare = false;
    },
    (pool) => {
      pool.renewLogins();
    },
    (pool) => {
      pool.settle('ready');
    },
    (pool) => {
      if (!pool.workers.some(({ isOutdated }) => isOutdated)) pool.settle('starting');
    },
    (pool) => {
      pool.isLatched = false;
    },
    (pool) => {
      pool.isLatched = true;
    },
  ),
  fc.nat({ max: 4 }).map((index) => (pool: Pool) => {
    pool.end(pool.workers[index]);
  }),
);

describe('whatever happens', () => {
  it('there is never more than one worker too many, and in the end all of them and the spare are there', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(happenings, { maxLength: 40 }), (wanted, story) => {
        const pool = new Pool(wanted);
        for (const happen of story) {
          happen(pool);
          expect(pool.workers.length).toBeLessThanOrEqual(wanted + 1);
        }
        pool.isLatched = false;
        pool.settle('ready');
        for (let steps = 0; pool.step('opens'); steps += 1) expect(steps).toBeLessThan(4 * wanted + 4);
        expect(pool.workers).toEqual(Array.from({ length: wanted }, () => READY));
        expect(pool.hasSpare).toBe(true);
      }),
      { numRuns: 2_000 },
    );
  });
});
