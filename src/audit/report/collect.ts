/**
 * Makes the compliance report out of a log's entries, one at a time: its size is that of what happened, not that of the
 * log. Entries before the period tell how it began; those after it don't count. Pure.
 */
import type { ApprovalEvent } from '../../access/approval-log.ts';
import { APPROVALS_STREAM } from '../../access/approval-log.ts';
import { formatDuration } from '../../base/duration.ts';
import type { SigningKeyEvent } from '../../lifecycle/events.ts';
import type { AuditEntry } from '../entries.ts';
import type { Verification } from '../verify-chain.ts';
import { ApprovalHistory } from './approval-history.ts';
import { Continuity } from './continuity.ts';
import { JwtTally } from './jwt-tally.ts';
import { isIn, KeyHistory } from './key-history.ts';
import type { Birth, CommandRow, ComplianceReport, Coverage, Happening, Period, RefusalRow, Turn } from './report.ts';

/** Of commands and of refusals (by caller, call and reason): a table that is longer is nobody's evidence. */
const MAX_ROWS = 10_000;
const SIGNING_KEY_PREFIX = 'signing-key/';

type Entry<K extends AuditEntry['kind']> = AuditEntry & { readonly kind: K };
type Refusals = { -readonly [M in keyof RefusalRow]: RefusalRow[M] };

export class ReportCollector {
  readonly #period: Period;
  readonly #keys = new Map<string, KeyHistory>();
  readonly #jwts = new JwtTally();
  readonly #continuity: Continuity;
  readonly #approvals = new ApprovalHistory();
  readonly #commands: CommandRow[] = [];
  readonly #accessPolicies: Happening[] = [];
  readonly #refusals = new Map<string, Refusals>();
  readonly #anomalies: Happening[] = [];
  #policyHash: string | undefined;
  #omitted = 0;

  constructor(period: Period) {
    this.#period = period;
    this.#continuity = new Continuity(period);
  }

  add(entry: AuditEntry): void {
    const atMs = Date.parse(entry.time);
    if (atMs >= this.#period.toMs) {
      this.#continuity.goOn();
      return;
    }
    this.#continuity.add(entry);
    if (entry.kind === 'EVENT') this.#addEvent(entry);
    if (entry.kind === 'ACCESS_POLICY_LOADED') this.#addAccessPolicy(entry, atMs);
    if (!isIn(atMs, this.#period)) return;
    switch (entry.kind) {
      case 'JWT_DISPATCHED':
        this.#jwts.add(entry, this.#keys.get(entry.signingKey));
        return;
      case 'JWT_FAILED':
        this.#jwts.fail(entry);
        return;
      case 'CALL':
        this.#addCommand(entry, atMs);
        return;
      case 'REFUSED':
        this.#addRefusal(entry.caller, entry.method, entry.reason, atMs, 1 + (entry.omitted ?? 0));
        return;
      case 'HISTORY_MISSING':
        this.#anomalies.push({ sequence: entry.seq, atMs, what: 'entries of the audit log are missing: see the gaps' });
        return;
      case 'LOG_INTERRUPTED':
        if (entry.lost > 0)
          this.#anomalies.push({
            sequence: entry.seq,
            atMs,
            what: `${entry.lost} entries are missing: what they would have told was done all the same`,
          });
        return;
      default:
    }
  }

  report(verification: Verification): ComplianceReport {
    const histories = [...this.#keys.entries()]
      .toSorted(([left], [right]) => left.localeCompare(right))
      .map(([, key]) => key);
    const turns = histories.flatMap((key) => key.turns(this.#period));
    const births = histories.flatMap((key) => key.births(this.#period));
    return {
      period: this.#period,
      coverage: toCoverage(verification),
      signingKeys: histories.map((key) => key.section()),
      turns,
      births,
      endings: histories.flatMap((key) => key.endings(this.#period)),
      commands: this.#commands,
      approvals: this.#approvals.rows().filter(({ proposedMs }) => isIn(proposedMs, this.#period)),
      accessPolicies: this.#accessPolicies,
      refusals: [...this.#refusals.values()].toSorted(
        (left, right) => left.caller.localeCompare(right.caller) || left.firstMs - right.firstMs,
      ),
      jwts: this.#jwts.rows(),
      gaps: this.#continuity.gaps(),
      clock: this.#continuity.clock(),
      anomalies: [
        ...this.#anomalies,
        ...turns.flatMap(toTurnAnomaly),
        ...births.flatMap(toBirthAnomaly),
        ...histories.flatMap((key) => key.failures(this.#period)),
        ...this.#jwts.anomalies(),
      ].toSorted((left, right) => left.atMs - right.atMs),
      omitted: this.#omitted + this.#jwts.omitted,
    };
  }

  #addEvent({ stream, data, seq }: Entry<'EVENT'>): void {
    // The event is the store's own, whole: it was checked when the daemon committed it.
    if (stream === APPROVALS_STREAM) this.#approvals.add(data as ApprovalEvent);
    if (!stream.startsWith(SIGNING_KEY_PREFIX)) return;
    const name = stream.slice(SIGNING_KEY_PREFIX.length);
    const history = this.#keys.get(name) ?? new KeyHistory(name);
    this.#keys.set(name, history);
    const event = data as SigningKeyEvent;
    history.add(event);
    if (event.type === 'VERSION_COMPROMISED' && isIn(event.atMs, this.#period)) {
      const what = `version ${event.version} of ${name} was declared compromised by ${event.caller}: ${event.reason}`;
      this.#anomalies.push({ sequence: seq, atMs: event.atMs, what });
    }
  }

  #addAccessPolicy({ seq, documentHash, callers }: Entry<'ACCESS_POLICY_LOADED'>, atMs: number): void {
    const isKnown = documentHash === this.#policyHash;
    const what = `document with SHA-256 ${documentHash} and ${callers} callers`;
    if (!isKnown && isIn(atMs, this.#period)) this.#accessPolicies.push({ sequence: seq, atMs, what });
    this.#policyHash = documentHash;
  }

  #addCommand(entry: Entry<'CALL'>, atMs: number): void {
    const { seq, caller, method, signingKey, keySet, version, kid, comment = '', outcome } = entry;
    // What only asked what would happen changed nothing.
    if (entry.validateOnly === true) return;
    if (this.#commands.length >= MAX_ROWS) {
      this.#omitted += 1;
      return;
    }
    const subject = [signingKey, keySet, version === undefined ? undefined : `version ${version}`, kid].filter(
      (part) => part !== undefined,
    );
    this.#commands.push({
      sequence: seq,
      atMs,
      caller,
      method: nameOf(method),
      subject: subject.join(', '),
      reason: comment,
      outcome,
    });
  }

  #addRefusal(caller: string, method: string, reason: string, atMs: number, count: number): void {
    const key = JSON.stringify([caller, method, reason]);
    const row = this.#refusals.get(key);
    if (row === undefined && this.#refusals.size >= MAX_ROWS) {
      this.#omitted += count;
      return;
    }
    const counted = row ?? { caller, method: nameOf(method), reason, count: 0, firstMs: atMs, lastMs: atMs };
    counted.count += count;
    counted.lastMs = atMs;
    this.#refusals.set(key, counted);
  }
}

/** `Rotate` of `/keyturn.v1.KeyAdminService/Rotate`. */
function nameOf(method: string): string {
  return method.slice(method.lastIndexOf('/') + 1);
}

function toCoverage({ problem, first, head, checkpoints, signedThrough, knownThrough }: Verification): Coverage {
  return {
    isVerified: problem === undefined,
    problem: problem?.message,
    firstSequence: first,
    lastSequence: head.seq,
    headHash: head.hash,
    checkpoints,
    signedThrough,
    knownThrough,
  };
}

function toTurnAnomaly({
  signingKey,
  fromVersion,
  punctuality,
  lateMs,
  doneMs,
  dueMs,
  toVersion,
  cause,
}: Turn): Happening[] {
  const atMs = doneMs ?? dueMs ?? 0;
  if (toVersion === undefined && cause === 'compromise')
    return [
      { sequence: 0, atMs, what: `${signingKey} stopped signing: nothing could take over from version ${fromVersion}` },
    ];
  if (punctuality === 'onTime') return [];
  const what =
    punctuality === 'overdue'
      ? `version ${fromVersion} of ${signingKey} has been due to be replaced for ${formatDuration(lateMs)}`
      : `version ${fromVersion} of ${signingKey} was replaced ${formatDuration(lateMs)} late`;
  return [{ sequence: 0, atMs, what }];
}

function toBirthAnomaly({ signingKey, version, atMs, doubts }: Birth): Happening[] {
  if (doubts.length === 0) return [];
  return [
    {
      sequence: 0,
      atMs,
      what: `version ${version} of ${signingKey} is not proven to be unable to leave the token: ${doubts.join(', ')}`,
    },
  ];
}
