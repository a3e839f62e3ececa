/**
 * Two-person control under whatever officers try, held against a model that knows only what was promised: a command is
 * executed once, when enough different officers have seen exactly this request with exactly this effect, in time.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ApprovalsState, evolveApprovals, NO_APPROVALS } from '../../src/access/approval-log.ts';
import {
  type ApprovalSurroundings,
  decideApprove,
  decideCancel,
  decidePropose,
  requireProposal,
} from '../../src/access/approvals.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { type CallerName, parseCallerName } from '../../src/base/ids.ts';

const CALLERS = ['alice', 'bob', 'carol', 'dave'].map((name) => parseCallerName(name));
const EXPIRY_MS = 10;
const METHOD = 'Recover';

/** Which proposal is meant, of all so far; which digests are sent: its own, or those of another proposal. */
const target = fc.nat({ max: 3 });
const caller = fc.constantFrom(...CALLERS);
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constant('propose' as const), caller, request: fc.nat({ max: 2 }) }),
  },
  {
    weight: 12,
    arbitrary: fc.record({
      kind: fc.constant('approve' as const),
      caller,
      target,
      request: fc.option(target, { freq: 4, nil: undefined }),
      effect: fc.option(target, { freq: 4, nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('cancel' as const), caller, target }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('world changes' as const), effect: fc.nat({ max: 1 }) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('policy changes' as const),
      officers: fc.subarray(CALLERS, { minLength: 1 }),
      needed: fc.integer({ min: 2, max: 4 }),
    }),
  },
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

interface Expected {
  readonly proposer: CallerName;
  readonly request: string;
  readonly effect: string;
  readonly needed: number;
  readonly atMs: number;
  readonly approvers: CallerName[];
  isOver: boolean;
  executions: number;
}

class Course {
  #state: ApprovalsState = NO_APPROVALS;
  readonly #expected: Expected[] = [];
  #nowMs = 0;
  #effect = 'effect 0';
  #officers: readonly CallerName[] = CALLERS;
  #needed = 2;

  take(what: Step): void {
    switch (what.kind) {
      case 'propose':
        this.#propose(what.caller, `request ${what.request}`);
        break;
      case 'approve':
        this.#approve(what);
        break;
      case 'cancel':
        this.#cancel(what.caller, what.target);
        break;
      case 'wait':
        this.#nowMs += what.ms;
        break;
      case 'world changes':
        this.#effect = `effect ${what.effect}`;
        break;
      case 'policy changes':
        this.#officers = what.officers;
        this.#needed = what.needed;
    }
  }

  get executions(): readonly number[] {
    return this.#expected.map(({ executions }) => executions);
  }

  get #around(): ApprovalSurroundings {
    return {
      nowMs: this.#nowMs,
      accessPolicyHash: '',
      isOfficer: (name) => this.#officers.includes(name),
      ruleOf: () => ({ officers: this.#needed, expiryMs: EXPIRY_MS }),
      ageMs: ({ proposedAtMs }) => this.#nowMs - proposedAtMs,
    };
  }

  #isOpen({ atMs, isOver }: Expected): boolean {
    return !isOver && this.#nowMs - atMs < EXPIRY_MS;
  }

  #propose(proposer: CallerName, request: string): void {
    const effect = this.#effect;
    const id = String(this.#expected.length);
    const wish = { id, caller: proposer, method: METHOD, request, effect: [effect], reason: '' } as const;
    const isKnown = this.#expected.some(
      (one) => this.#isOpen(one) && one.proposer === proposer && one.request === request && one.effect === effect,
    );
    const events = decidePropose(this.#state, wish, this.#around);
    expect(events).toHaveLength(isKnown ? 0 : 1);
    if (isKnown) return;
    this.#state = events.reduce(evolveApprovals, this.#state);
    const needed = this.#needed;
    this.#expected.push({
      proposer,
      request,
      effect,
      needed,
      atMs: this.#nowMs,
      approvers: [],
      isOver: false,
      executions: 0,
    });
  }

  #approve(what: Extract<Step, { kind: 'approve' }>): void {
    const one = this.#expected[what.target];
    if (one === undefined) return;
    const digestsOf = (index: number) =>
      requireProposal(this.#state, String(this.#expected[index] === undefined ? what.target : index));
    const shownRequest = this.#expected[what.request ?? what.target]?.request ?? one.request;
    const shownEffect = this.#expected[what.effect ?? what.target]?.effect ?? one.effect;
    const wish = {
      id: String(what.target),
      caller: what.caller,
      requestSha256: digestsOf(what.request ?? what.target).requestSha256,
      effectSha256: digestsOf(what.effect ?? what.target).effectSha256,
      reason: '',
    };
    const isDue =
      this.#isOpen(one) &&
      this.#officers.includes(what.caller) &&
      what.caller !== one.proposer &&
      !one.approvers.includes(what.caller) &&
      this.#officers.includes(one.proposer) &&
      shownRequest === one.request &&
      shownEffect === one.effect &&
      this.#effect === one.effect;
    const events = orRefused(() => decideApprove(this.#state, wish, [this.#effect], this.#around));
    expect(events !== undefined, JSON.stringify(what)).toBe(isDue);
    if (events === undefined) return;
    one.approvers.push(what.caller);
    this.#state = events.reduce(evolveApprovals, this.#state);
    const different = new Set([
      one.proposer,
      ...one.approvers.filter((name) => this.#officers.includes(name)),
      what.caller,
    ]);
    const executes = different.size >= Math.max(one.needed, this.#needed);
    expect(events).toMatchObject([{ executes }]);
    if (!executes) return;
    one.executions += 1;
    one.isOver = true;
  }

  #cancel(name: CallerName, index: number): void {
    const one = this.#expected[index];
    if (one === undefined) return;
    const wish = { id: String(index), caller: name, reason: '' };
    const events = orRefused(() => decideCancel(this.#state, wish, this.#around));
    expect(events !== undefined).toBe(this.#isOpen(one));
    if (events === undefined) return;
    this.#state = events.reduce(evolveApprovals, this.#state);
    one.isOver = true;
  }
}

function orRefused<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof KeyturnError) return undefined;
    throw thrown;
  }
}

describe('two-person control', () => {
  it('executes each proposal at most once, and only as enough different officers saw it', () => {
    let executed = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 10, maxLength: 60 }), (steps) => {
        const course = new Course();
        for (const what of steps) course.take(what);
        expect(Math.max(0, ...course.executions)).toBeLessThanOrEqual(1);
        executed += course.executions.filter((count) => count === 1).length;
      }),
      { numRuns: 1_000 },
    );
    expect(executed, 'the check must have something to check').toBeGreaterThan(50);
  });
});
