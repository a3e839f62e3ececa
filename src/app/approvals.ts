/**
 * The use cases of two-person control. Each decision is one commit in a stream of its own; the approval that is the last
 * one needed is durable before its command has any effect, so that nothing is ever executed twice. Decisions are
 * access/approvals.ts's.
 */
import type { ApprovableMethod, Proposal } from '../access/approval-log.ts';
import {
  type ApprovalSurroundings,
  decideApprove,
  decideCancel,
  decidePropose,
  findSame,
  requireApprovable,
  requireProposal,
  requireSameEffect,
} from '../access/approvals.ts';
import { type AccessPolicy, isSecurityOfficer } from '../access/policy.ts';
import type { Clock } from '../base/clock.ts';
import { hasReason, KeyturnError, toKeyturnError } from '../base/errors.ts';
import type { CallerName } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import type { CommitOptions } from '../store/store.ts';
import { parseReason } from './administer.ts';
import type { Page } from './application.ts';
import type { ApprovableCommand, Origin } from './approvable-commands.ts';
import type { Ledger } from './ledger.ts';
import { toPage } from './page.ts';
import type { ApproveCommand, ProposalView, ProposedCommand } from './proposals.ts';

const UUID_BYTES = 16;

export interface ApprovalsPorts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly accessPolicy: () => AccessPolicy;
  readonly isClockTrusted: () => boolean;
  readonly randomBytes: (count: number) => Uint8Array;
  readonly toApprovable: (proposed: ProposedCommand, origin: Origin) => ApprovableCommand;
}

export class Approvals {
  readonly #ports: ApprovalsPorts;
  readonly #startedAtMs: number;
  /** Monotonic time at which this run of the daemon got a proposal. */
  readonly #proposedAtMs = new Map<string, number>();
  /** Approved, and being executed. */
  readonly #running = new Set<string>();

  constructor(ports: ApprovalsPorts) {
    this.#ports = ports;
    this.#startedAtMs = ports.clock.monotonicMs();
  }

  /** For a command that came by itself. Errors: APPROVAL_REQUIRED. */
  requireNone(method: ApprovableMethod): void {
    const rule = this.#ports.accessPolicy().approvals.get(method);
    if (rule === undefined) return;
    throw new KeyturnError(
      'APPROVAL_REQUIRED',
      `the access policy wants ${rule.officers} security officers for ${method}: propose it, and have another officer approve it`,
      { subject: method },
    );
  }

  async propose(caller: CallerName, proposed: ProposedCommand): Promise<ProposalView> {
    const { ledger, log, toApprovable } = this.#ports;
    const reason = requireReason(proposed.command.reason);
    const id = this.#newId();
    const effect = await toApprovable(proposed, { proposer: caller, id, proposedAtMs: undefined }).effect();
    const wish = { id, caller, method: proposed.method, request: toRequest(proposed), effect, reason };
    let proposal: Proposal | undefined;
    await ledger.transact(() => {
      const around = this.#around();
      proposal = findSame(ledger.approvals, wish, around);
      return [{ to: 'approvals', events: decidePropose(ledger.approvals, wish, around) }];
    }, optionsOf(proposed.method));
    if (proposal !== undefined) return this.#toView(proposal);
    this.#remember(id);
    const { officers } = requireProposal(ledger.approvals, id);
    log.warn({ proposal: id, method: proposed.method, caller, officers }, 'a command waits for approval');
    return this.#view(id);
  }

  async approve(caller: CallerName, command: ApproveCommand): Promise<ProposalView> {
    const { ledger, log } = this.#ports;
    const wish = { ...command, caller, reason: parseReason(command.reason) };
    this.#requireDatable(wish.id);
    const proposal = requireApprovable(ledger.approvals, wish, this.#around());
    this.#requireAfterRestoration(proposal);
    const { id, method, proposer } = proposal;
    const approvable = this.#toApprovable(proposal);
    const effect = await approvable.effect();
    let executes = false;
    await ledger.transact(() => {
      const events = decideApprove(ledger.approvals, wish, effect, this.#around());
      executes = events.some((event) => event.type === 'PROPOSAL_APPROVED' && event.executes);
      return [{ to: 'approvals', events }];
    }, optionsOf(method));
    log.warn({ proposal: id, method, caller, proposer, executes }, 'a proposed command was approved');
    if (executes) await this.#execute(proposal, approvable);
    return this.#view(id);
  }

  async cancel(caller: CallerName, id: string, reason: string): Promise<ProposalView> {
    const { ledger, log } = this.#ports;
    const wish = { id, caller, reason: requireReason(reason) };
    await ledger.transact(() => [{ to: 'approvals', events: decideCancel(ledger.approvals, wish, this.#around()) }]);
    log.info({ proposal: id, caller }, 'a proposed command was cancelled');
    return this.#view(id);
  }

  /** Newest first. */
  list(pageSize: number, pageToken: string): Page<ProposalView> {
    const { proposals } = this.#ports.ledger.approvals;
    const page = toPage(proposals.toReversed(), ({ id }) => id, pageSize, pageToken);
    return { ...page, items: page.items.map((proposal) => this.#toView(proposal)) };
  }

  countOpen(): number {
    const { proposals } = this.#ports.ledger.approvals;
    return proposals.filter((proposal) => this.#toView(proposal).state === 'open').length;
  }

  async #execute(proposal: Proposal, approvable: ApprovableCommand): Promise<void> {
    const { log } = this.#ports;
    const { id, method } = proposal;
    this.#running.add(id);
    try {
      await approvable.run((effect) => {
        requireSameEffect(proposal, effect);
      });
    } catch (thrown) {
      const { reason, message } = toKeyturnError(thrown);
      log.error({ proposal: id, method, err: thrown }, 'an approved command failed');
      // In effect perhaps, and tried again until it is recorded (rule 7): nobody can say yet that it failed.
      if (!hasReason(thrown, 'STORE_UNAVAILABLE'))
        await this.#record(id, (atMs) => ({ type: 'PROPOSAL_FAILED', atMs, id, reason, message }));
      throw thrown;
    } finally {
      this.#running.delete(id);
    }
    await this.#record(id, (atMs) => ({ type: 'PROPOSAL_EXECUTED', atMs, id }));
    log.warn({ proposal: id, method }, 'an approved command was executed');
  }

  /** What came of it is known already, and in the log of what it did: a disk that fails here must not hide it. */
  async #record(
    id: string,
    toEvent: (
      atMs: number,
    ) => { readonly atMs: number; readonly id: string } & (
      | { readonly type: 'PROPOSAL_EXECUTED' }
      | { readonly type: 'PROPOSAL_FAILED'; readonly reason: KeyturnError['reason']; readonly message: string }
    ),
  ): Promise<void> {
    const { ledger, clock, log } = this.#ports;
    try {
      await ledger.transact(() => [{ to: 'approvals', events: [toEvent(clock.wallMs())] }], { mayUseReserve: true });
    } catch (thrown) {
      log.error({ proposal: id, err: toKeyturnError(thrown) }, 'what became of a proposal could not be recorded');
    }
  }

  #toApprovable({ id, request, proposer, proposedAtMs }: Proposal): ApprovableCommand {
    // What was written passed the types, as any event of the log.
    const proposed = JSON.parse(request) as ProposedCommand;
    return this.#ports.toApprovable(proposed, { proposer, id, proposedAtMs });
  }

  #around(): ApprovalSurroundings {
    const { clock } = this.#ports;
    const accessPolicy = this.#ports.accessPolicy();
    return {
      nowMs: clock.wallMs(),
      accessPolicyHash: accessPolicy.documentHash,
      isOfficer: (caller) => isSecurityOfficer(accessPolicy, caller),
      ruleOf: (method) => accessPolicy.approvals.get(method),
      ageMs: (proposal) => this.#ageMs(proposal),
    };
  }

  /** A clock that is set back must not bring an expired proposal back to life. */
  #ageMs({ id, proposedAtMs }: Proposal): number {
    const { clock, isClockTrusted } = this.#ports;
    const ownMs = this.#proposedAtMs.get(id);
    if (ownMs !== undefined) return clock.monotonicMs() - ownMs;
    const upMs = clock.monotonicMs() - this.#startedAtMs;
    return isClockTrusted() ? Math.max(clock.wallMs() - proposedAtMs, upMs) : Number.POSITIVE_INFINITY;
  }

  /** Errors: CLOCK_UNTRUSTED for a proposal of another run, whose age nobody knows then. */
  #requireDatable(id: string): void {
    if (this.#proposedAtMs.has(id) || this.#ports.isClockTrusted()) return;
    throw new KeyturnError(
      'CLOCK_UNTRUSTED',
      'nobody can tell whether the proposal has expired: set the clock right or confirm it, or propose it anew',
      { rule: 'clock-guard' },
    );
  }

  /** Rule 9: a copy of the store may have forgotten that it was executed or cancelled. Errors: PROPOSAL_CLOSED. */
  #requireAfterRestoration({ id, proposedAtMs }: Proposal): void {
    const { restoration } = this.#ports.ledger.token;
    if (restoration === undefined || proposedAtMs > restoration.atMs) return;
    throw new KeyturnError(
      'PROPOSAL_CLOSED',
      'the store was restored after this was proposed, and may have forgotten what became of it; propose it anew',
      { subject: id },
    );
  }

  #remember(id: string): void {
    this.#proposedAtMs.set(id, this.#ports.clock.monotonicMs());
    const known = new Set(this.#ports.ledger.approvals.proposals.map((proposal) => proposal.id));
    for (const old of this.#proposedAtMs.keys()) if (!known.has(old)) this.#proposedAtMs.delete(old);
  }

  #newId(): string {
    const hex = Buffer.from(this.#ports.randomBytes(UUID_BYTES)).toString('hex');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  #view(id: string): ProposalView {
    return this.#toView(requireProposal(this.#ports.ledger.approvals, id));
  }

  #toView(proposal: Proposal): ProposalView {
    const { state, id, expiresAtMs, proposedAtMs } = proposal;
    const currentAccessPolicyHash = this.#ports.accessPolicy().documentHash;
    const view = { ...proposal, currentAccessPolicyHash };
    if (state === 'executing') return { ...view, state: this.#running.has(id) ? 'executing' : 'unknown' };
    const isExpired = state === 'open' && this.#ageMs(proposal) >= expiresAtMs - proposedAtMs;
    return { ...view, state: isExpired ? 'expired' : state };
  }
}

/** What narrows must not wait for a full disk (rule 6), nor for its approval. */
function optionsOf(method: ApprovableMethod): CommitOptions {
  return { mayUseReserve: method === 'DeclareCompromised' || method === 'RemovePublicKey' };
}

/** The same for the same request, whatever order its members came in. */
function toRequest(proposed: ProposedCommand): string {
  return JSON.stringify(proposed, (_name, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.fromEntries(Object.entries(value).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : value,
  );
}

function requireReason(text: string): string {
  const reason = parseReason(text);
  if (reason.trim() !== '') return reason;
  throw new KeyturnError('FIELD_INVALID', 'reason must say why: others decide by it', { field: 'reason' });
}
