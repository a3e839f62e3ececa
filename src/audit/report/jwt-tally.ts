/** How many JWTs were signed for whom, with what, and whether each was one that the lifecycle allowed. Pure. */
import type { AuditEntry } from '../entries.ts';
import type { KeyHistory } from './key-history.ts';
import type { Happening, JwtRow } from './report.ts';

/** A failure follows its dispatch within a request's time: dispatches further back are forgotten. */
const MAX_REMEMBERED = 65_536;
/** Rows of (signing key, caller, kid): versions and callers are few. */
const MAX_ROWS = 10_000;
/** `exp` is in whole seconds, by a clock read before the entry was written. */
const LIFETIME_SLACK_MS = 2_000;

type Dispatched = AuditEntry & { readonly kind: 'JWT_DISPATCHED' };
type Row = { -readonly [M in keyof JwtRow]: JwtRow[M] };

interface Doubt {
  readonly sequence: number;
  readonly atMs: number;
  readonly what: string;
  count: number;
}

export class JwtTally {
  readonly #rows = new Map<string, Row>();
  readonly #recent = new Map<number, Row>();
  readonly #doubts = new Map<string, Doubt>();
  #omitted = 0;

  get omitted(): number {
    return this.#omitted;
  }

  add(entry: Dispatched, history: KeyHistory | undefined): void {
    const { seq, signingKey, caller, kid, alg, exp } = entry;
    const atMs = Date.parse(entry.time);
    const lifetimeMs = exp * 1_000 - atMs;
    this.#note(entry, atMs, history?.objectionTo(kid, atMs, lifetimeMs - LIFETIME_SLACK_MS));
    const key = JSON.stringify([signingKey, caller, kid]);
    const row = this.#rows.get(key);
    if (row === undefined && this.#rows.size >= MAX_ROWS) {
      this.#omitted += 1;
      return;
    }
    const counted = row ?? {
      signingKey,
      caller,
      kid,
      algorithm: alg,
      dispatched: 0,
      failed: 0,
      longestLifetimeMs: 0,
      firstMs: atMs,
      lastMs: atMs,
    };
    counted.dispatched += 1;
    // What a row is there for is a lifetime: that of a second is no more exact than the clock's reading.
    counted.longestLifetimeMs = Math.max(counted.longestLifetimeMs, Math.round(lifetimeMs / 1_000) * 1_000);
    counted.lastMs = atMs;
    this.#rows.set(key, counted);
    this.#remember(seq, counted);
  }

  fail({ dispatched }: AuditEntry & { readonly kind: 'JWT_FAILED' }): void {
    const row = this.#recent.get(dispatched);
    if (row !== undefined) row.failed += 1;
    this.#recent.delete(dispatched);
  }

  rows(): readonly JwtRow[] {
    return [...this.#rows.values()].toSorted(
      (left, right) =>
        left.signingKey.localeCompare(right.signingKey) ||
        left.caller.localeCompare(right.caller) ||
        left.firstMs - right.firstMs,
    );
  }

  anomalies(): readonly Happening[] {
    return [...this.#doubts.values()].map(({ sequence, atMs, what, count }) => ({
      sequence,
      atMs,
      what: count === 1 ? what : `${what}; ${count} such JWTs in all`,
    }));
  }

  #note({ seq, signingKey, caller }: Dispatched, atMs: number, objection: string | undefined): void {
    if (objection === undefined) return;
    const what = `a JWT of ${signingKey} for ${caller} was dispatched, and ${objection}`;
    const known = this.#doubts.get(what);
    if (known !== undefined) known.count += 1;
    else if (this.#doubts.size < MAX_ROWS) this.#doubts.set(what, { sequence: seq, atMs, what, count: 1 });
    else this.#omitted += 1;
  }

  #remember(seq: number, row: Row): void {
    this.#recent.set(seq, row);
    if (this.#recent.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#recent.keys()) {
      this.#recent.delete(oldest);
      return;
    }
  }
}
