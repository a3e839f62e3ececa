/** Two-person control as pure decisions: every shortcut is refused, by name. */
import { describe, expect, it } from 'vitest';
import {
  type ApprovableMethod,
  type ApprovalEvent,
  type ApprovalsState,
  evolveApprovals,
  MAX_OPEN_PROPOSALS,
  NO_APPROVALS,
} from '../../src/access/approval-log.ts';
import {
  type ApprovalRule,
  type ApprovalSurroundings,
  type ApprovalWish,
  decideApprove,
  decideCancel,
  decideCloseAll,
  decidePropose,
  MAX_PROPOSAL_BYTES,
  requireProposal,
} from '../../src/access/approvals.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { parseCallerName } from '../../src/base/ids.ts';

const DAY = 86_400_000;
const [ALICE, BOB, CAROL, DAVE] = (['alice', 'bob', 'carol', 'dave'] as const).map((name) => parseCallerName(name));
const EFFECT = ['version 1 is withdrawn', 'version 2 signs'];
const ID = 'first';

interface World {
  readonly nowMs?: number;
  readonly officers?: readonly (string | undefined)[];
  readonly rule?: ApprovalRule;
}

const around = ({ nowMs = 0, officers = [ALICE, BOB, CAROL], rule }: World = {}): ApprovalSurroundings => ({
  nowMs,
  accessPolicyHash: 'hash',
  isOfficer: (caller) => officers.includes(caller),
  ruleOf: () => rule,
  ageMs: ({ proposedAtMs }) => nowMs - proposedAtMs,
});

const apply = (state: ApprovalsState, events: readonly ApprovalEvent[]): ApprovalsState =>
  events.reduce(evolveApprovals, state);

const wish = (more: Partial<Parameters<typeof decidePropose>[1]> = {}): Parameters<typeof decidePropose>[1] => ({
  id: ID,
  caller: ALICE ?? parseCallerName(''),
  method: 'DeclareCompromised' satisfies ApprovableMethod,
  request: '{"scope":"all"}',
  effect: EFFECT,
  reason: 'stolen',
  ...more,
});

const proposed = (world?: World): ApprovalsState =>
  apply(NO_APPROVALS, decidePropose(NO_APPROVALS, wish(), around(world)));

const approval = (state: ApprovalsState, caller = BOB, more: Partial<ApprovalWish> = {}): ApprovalWish => {
  const { requestSha256, effectSha256 } = requireProposal(state, ID);
  return { id: ID, caller: caller ?? parseCallerName(''), requestSha256, effectSha256, reason: '', ...more };
};

const reasonOf = (act: () => unknown): string => {
  try {
    act();
  } catch (thrown) {
    if (thrown instanceof KeyturnError) return `${thrown.reason}: ${thrown.message}`;
    throw thrown;
  }
  return 'accepted';
};

const attempt = (state: ApprovalsState, how: ApprovalWish, effect = EFFECT, world?: World): string =>
  reasonOf(() => decideApprove(state, how, effect, around(world)));

describe('a proposal', () => {
  it('is executed by the approval of a second officer', () => {
    const state = proposed();
    const events = decideApprove(state, approval(state), EFFECT, around());
    expect(events).toEqual([
      {
        type: 'PROPOSAL_APPROVED',
        atMs: 0,
        id: ID,
        executes: true,
        accessPolicyHash: 'hash',
        caller: BOB,
        reason: '',
      },
    ]);
    expect(requireProposal(apply(state, events), ID)).toMatchObject({
      state: 'executing',
      approvals: [{ caller: BOB }],
    });
  });

  it('takes as many officers as the access policy wants, and waits for the last of them', () => {
    const world = { rule: { officers: 3, expiryMs: DAY } };
    const state = proposed(world);
    const second = apply(state, decideApprove(state, approval(state, BOB), EFFECT, around(world)));
    expect(requireProposal(second, ID).state).toBe('open');
    expect(attempt(second, approval(second, BOB), EFFECT, world)).toContain('SECOND_OFFICER_REQUIRED');
    const third = apply(second, decideApprove(second, approval(second, CAROL), EFFECT, around(world)));
    expect(requireProposal(third, ID).state).toBe('executing');
  });

  it('takes no fewer than when it was proposed, and no fewer than the access policy wants now', () => {
    const strict = { rule: { officers: 3, expiryMs: DAY } };
    const before = proposed(strict);
    expect(decideApprove(before, approval(before), EFFECT, around())).toMatchObject([{ executes: false }]);
    const after = proposed();
    expect(decideApprove(after, approval(after), EFFECT, around(strict))).toMatchObject([{ executes: false }]);
  });

  it('that is made again is the one that waits already, unless its effect is another one', () => {
    const state = proposed();
    const again = wish({ id: 'second' });
    expect(decidePropose(state, again, around())).toEqual([]);
    expect(decidePropose(state, { ...again, effect: ['another'] }, around())).toHaveLength(1);
    expect(decidePropose(state, { ...again, caller: BOB ?? again.caller }, around())).toHaveLength(1);
    expect(decidePropose(state, again, around({ nowMs: DAY }))).toHaveLength(1);
  });

  it('has a limit, in size and in number', () => {
    const many = Array.from({ length: MAX_OPEN_PROPOSALS }, (_, index) =>
      wish({ id: `p${index}`, request: `${index}` }),
    );
    const state = many.reduce((before, one) => apply(before, decidePropose(before, one, around())), NO_APPROVALS);
    expect(reasonOf(() => decidePropose(state, wish(), around()))).toContain('QUEUE_FULL');
    expect(decidePropose(state, wish(), around({ nowMs: DAY })), 'expired ones take no place').toHaveLength(1);
    const large = wish({ request: 'x'.repeat(MAX_PROPOSAL_BYTES + 1) });
    expect(reasonOf(() => decidePropose(NO_APPROVALS, large, around()))).toContain('REQUEST_TOO_LARGE');
  });

  it('that waits is not forgotten for those that are over', () => {
    const open = apply(NO_APPROVALS, decidePropose(NO_APPROVALS, wish(), around()));
    const flooded = Array.from({ length: 400 }, (_, index) => `p${index}`).reduce((before, id) => {
      const with1 = apply(before, decidePropose(before, wish({ id, request: id }), around()));
      return apply(with1, decideCancel(with1, { id, caller: BOB ?? wish().caller, reason: 'no' }, around()));
    }, open);
    expect(requireProposal(flooded, ID).state).toBe('open');
    expect(flooded.proposals.length).toBeLessThan(200);
    expect(flooded.sequence).toBe(801);
  });

  it('is cancelled by any officer, and by the recovery of a store that may have forgotten its end', () => {
    const state = proposed();
    const cancelled = apply(
      state,
      decideCancel(state, { id: ID, caller: BOB ?? wish().caller, reason: 'no' }, around()),
    );
    expect(attempt(cancelled, approval(cancelled))).toContain('PROPOSAL_CLOSED');
    expect(attempt(cancelled, approval(cancelled))).toContain('bob: no');
    const closed = apply(state, decideCloseAll(state, { atMs: 1, caller: BOB ?? wish().caller, reason: 'recovered' }));
    expect(attempt(closed, approval(closed))).toContain('PROPOSAL_CLOSED');
    expect(decideCloseAll(closed, { atMs: 2, caller: BOB ?? wish().caller, reason: '' })).toEqual([]);
  });
});

describe('every shortcut is refused', () => {
  const state = proposed();
  const approved = apply(state, decideApprove(state, approval(state), EFFECT, around()));
  const executed = apply(approved, [{ type: 'PROPOSAL_EXECUTED', atMs: 1, id: ID }]);
  const failed = apply(approved, [
    { type: 'PROPOSAL_FAILED', atMs: 1, id: ID, reason: 'EFFECT_CHANGED', message: 'x' },
  ]);
  const other = apply(state, decidePropose(state, wish({ id: 'other', request: '{}' }), around()));

  it.each<[string, string, () => string]>([
    ['the same officer twice', 'SECOND_OFFICER_REQUIRED', () => attempt(state, approval(state, ALICE))],
    ['an unknown proposal', 'PROPOSAL_NOT_FOUND', () => attempt(state, { ...approval(state), id: 'none' })],
    [
      'a changed request',
      'PROPOSAL_MISMATCH: request_sha256',
      () => attempt(state, approval(state, BOB, { requestSha256: 'a'.repeat(64) })),
    ],
    [
      "another proposal's request",
      'PROPOSAL_MISMATCH: request_sha256',
      () => attempt(other, approval(other, BOB, { requestSha256: requireProposal(other, 'other').requestSha256 })),
    ],
    [
      'an effect that nobody was shown',
      'PROPOSAL_MISMATCH: effect_sha256',
      () => attempt(state, approval(state, BOB, { effectSha256: '' })),
    ],
    [
      'an effect that changed meanwhile',
      'EFFECT_CHANGED: the command would do something else by now: no longer "version 2 signs"; now "nothing signs"',
      () => attempt(state, approval(state), [EFFECT[0] ?? '', 'nothing signs']),
    ],
    ['one more effect', 'now "more"', () => attempt(state, approval(state), [...EFFECT, 'more'])],
    ['the same effects in another order', 'EFFECT_CHANGED', () => attempt(state, approval(state), EFFECT.toReversed())],
    ['at its expiry', 'PROPOSAL_CLOSED', () => attempt(state, approval(state), EFFECT, { nowMs: DAY })],
    ['a replay while it is executed', 'PROPOSAL_CLOSED', () => attempt(approved, approval(approved, CAROL))],
    ['a replay after it was executed', 'PROPOSAL_CLOSED', () => attempt(executed, approval(executed, CAROL))],
    ['a second try after it failed', 'PROPOSAL_CLOSED', () => attempt(failed, approval(failed, CAROL))],
    [
      'a proposer who lost the role',
      'PROPOSAL_CLOSED',
      () => attempt(state, approval(state), EFFECT, { officers: [BOB, CAROL] }),
    ],
    [
      'cancelling what is over',
      'PROPOSAL_CLOSED',
      () => reasonOf(() => decideCancel(executed, { id: ID, caller: BOB ?? wish().caller, reason: '' }, around())),
    ],
  ])('%s', (_what, refusal, act) => {
    expect(act()).toContain(refusal);
  });

  it('but one moment before the expiry it is accepted', () => {
    expect(attempt(state, approval(state), EFFECT, { nowMs: DAY - 1 })).toBe('accepted');
  });

  it('an approval of somebody who lost the role meanwhile does not count', () => {
    const world = { rule: { officers: 3, expiryMs: DAY }, officers: [ALICE, BOB, CAROL, DAVE] };
    const two = apply(state, decideApprove(state, approval(state, BOB), EFFECT, around(world)));
    const without = { ...world, officers: [ALICE, CAROL, DAVE] };
    const three = decideApprove(two, approval(two, CAROL), EFFECT, around(without));
    expect(three).toMatchObject([{ executes: false }]);
    const after = apply(two, three);
    expect(decideApprove(after, approval(after, DAVE), EFFECT, around(without))).toMatchObject([{ executes: true }]);
  });
});
