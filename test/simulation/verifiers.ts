/**
 * Verifiers as the world has them, written from the RFCs and from what libraries do, not from keyturn: this file
 * imports nothing of src. A verifier fetches the published document at times of its own, keeps it by a rule of its
 * own, and judges JWTs by that copy and by its own clock. Times are true Unix ms; every verifier's clock is off.
 */
import { findSigningKey } from './cheap-signature.ts';

export const VERIFIER_KINDS = [
  /** Honours max-age; never asks again because of an unknown kid. */
  'max-age',
  /** Keeps a copy for the ceiling, and asks again for an unknown kid, no sooner than a cooldown after it asked last. */
  'refetch-on-unknown-kid',
  /** Keeps a copy for the ceiling whatever Cache-Control says; never asks early. */
  'fixed-ttl',
  /** Honours max-age, behind a shared cache that doesn't send Age. */
  'shared-cache',
  /** Honours max-age, but goes on with an old copy, up to the ceiling, when it can't fetch. */
  'stale-if-error',
] as const;
export type VerifierKind = (typeof VERIFIER_KINDS)[number];

export interface VerifierPlan {
  readonly kind: VerifierKind;
  /** Its clock minus the true one. */
  readonly clockOffsetMs: number;
  /** How long after `exp` it still accepts. Offset and leeway together are within the promised skew. */
  readonly leewayMs: number;
  /** For refetch-on-unknown-kid. */
  readonly cooldownMs: number;
}

/** What an HTTP request for the key set gets. */
export type Answer =
  | { readonly kind: 'document'; readonly body: Uint8Array; readonly maxAgeMs: number }
  /** 404 with no-store. */
  | { readonly kind: 'absent' }
  /** Connection refused, time-out, 5xx. */
  | { readonly kind: 'failed' };

export interface Copy {
  /** The document, read when a JWT is held against it: many are replaced before. */
  readonly body: Uint8Array;
  readonly fetchedAtMs: number;
  readonly maxAgeMs: number;
  /** The ceiling that was promised when the origin answered. */
  readonly ceilingMs: number;
  /** When the origin answered: earlier than fetched behind a shared cache. */
  readonly answeredAtMs: number;
}

export interface ParsedJwt {
  readonly kid: string;
  readonly iatMs: number;
  readonly expMs: number;
  /** x of the key that signed it; undefined when the signature isn't of this JWT's signing input. */
  readonly signedBy: string | undefined;
}

export type Verdict = 'verified' | 'expired' | 'no-copy' | 'unknown-kid' | 'bad-signature';

/** How verifiers reach the world. */
export interface Surroundings {
  fetch(): Answer;
  /** What the key set promises now, in whatever way verifiers' owners learn it. */
  ceilingMs(): number;
}

interface PublicKey {
  readonly kid: string;
  readonly x: string;
}

const documents = new WeakMap<Uint8Array, ReadonlyMap<string, string>>();
const MAX_KNOWN_KEYS = 256;
const keysByText = new Map<string, PublicKey>();
/** Nothing stands between two keys but this, as no string in them has it. */
const BETWEEN_KEYS = '},{';
const OPENING = '{"keys":[{';
const CLOSING = '}]}';

/** RFC 7517, section 5: x by kid, base64url. The same bytes are parsed once. */
function parseDocument(body: Uint8Array): ReadonlyMap<string, string> {
  const known = documents.get(body);
  if (known !== undefined) return known;
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8');
  const parsed = new Map(parseKeys(text).map(({ kid, x }) => [kid, x]));
  documents.set(body, parsed);
  return parsed;
}

/** A key is in many documents, and mostly in the same words: it is parsed once. Any other writing goes through as well. */
function parseKeys(document: string): readonly PublicKey[] {
  if (!document.startsWith(OPENING) || !document.endsWith(CLOSING))
    return (JSON.parse(document) as { readonly keys: readonly PublicKey[] }).keys;
  return document.slice(OPENING.length, -CLOSING.length).split(BETWEEN_KEYS).map(parseKey);
}

function parseKey(members: string): PublicKey {
  const known = keysByText.get(members);
  if (known !== undefined) return known;
  const { kid, x } = JSON.parse(`{${members}}`) as PublicKey;
  if (keysByText.size >= MAX_KNOWN_KEYS) keysByText.clear();
  keysByText.set(members, { kid, x });
  return { kid, x };
}

const MAX_KNOWN_HEADERS = 64;
const kidsByHeader = new Map<string, string>();

/** JWTs of one version have the same header: it is parsed once, as libraries do. */
function kidOf(header: string): string {
  const known = kidsByHeader.get(header);
  if (known !== undefined) return known;
  const { kid } = JSON.parse(Buffer.from(header, 'base64url').toString()) as { kid: string };
  if (kidsByHeader.size >= MAX_KNOWN_HEADERS) kidsByHeader.clear();
  kidsByHeader.set(header, kid);
  return kid;
}

/** RFC 7515, section 7.1, and the claims of RFC 7519 that a verifier looks at. */
export function parseJwt(compact: string): ParsedJwt {
  const [header = '', payload = '', signature = ''] = compact.split('.');
  const kid = kidOf(header);
  const { iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as { iat: number; exp: number };
  return {
    kid,
    iatMs: iat * 1_000,
    expMs: exp * 1_000,
    signedBy: findSigningKey(Buffer.from(`${header}.${payload}`, 'latin1'), Buffer.from(signature, 'base64url')),
  };
}

/** A cache on the way that many verifiers share. It answers with the whole max-age again and never with Age. */
export class SharedCache {
  readonly #around: Surroundings;
  #stored:
    | { readonly answer: Answer & { kind: 'document' }; readonly atMs: number; readonly ceilingMs: number }
    | undefined;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** Asks the origin again, as a cache may at any time. */
  refresh(nowMs: number): void {
    const answer = this.#around.fetch();
    if (answer.kind === 'document') this.#stored = { answer, atMs: nowMs, ceilingMs: this.#around.ceilingMs() };
  }

  fetch(nowMs: number): { readonly answer: Answer; readonly answeredAtMs: number; readonly ceilingMs: number } {
    const stored = this.#stored;
    if (stored !== undefined && nowMs - stored.atMs < stored.answer.maxAgeMs) {
      return { answer: stored.answer, answeredAtMs: stored.atMs, ceilingMs: stored.ceilingMs };
    }
    const answer = this.#around.fetch();
    const ceilingMs = this.#around.ceilingMs();
    this.#stored = answer.kind === 'document' ? { answer, atMs: nowMs, ceilingMs } : undefined;
    return { answer, answeredAtMs: nowMs, ceilingMs };
  }
}

export class Verifier {
  readonly plan: VerifierPlan;
  readonly #around: Surroundings;
  readonly #cache: SharedCache | undefined;
  #copy: Copy | undefined;
  #keys: ReadonlyMap<string, string> | undefined;
  #askedAtMs = Number.NEGATIVE_INFINITY;

  constructor(plan: VerifierPlan, around: Surroundings, cache?: SharedCache) {
    this.plan = plan;
    this.#around = around;
    this.#cache = plan.kind === 'shared-cache' ? cache : undefined;
  }

  get copy(): Copy | undefined {
    return this.#copy;
  }

  /** Fetches, as a verifier may at any time: it has just started, or somebody pressed a button. */
  fetch(nowMs: number): void {
    this.#askedAtMs = nowMs;
    const { answer, answeredAtMs, ceilingMs } = this.#cache?.fetch(nowMs) ?? {
      answer: this.#around.fetch(),
      answeredAtMs: nowMs,
      ceilingMs: this.#around.ceilingMs(),
    };
    if (answer.kind !== 'document') return;
    const { body, maxAgeMs } = answer;
    this.#keys = undefined;
    this.#copy = { body, fetchedAtMs: nowMs, maxAgeMs, ceilingMs, answeredAtMs };
  }

  judge(jwt: ParsedJwt, nowMs: number): Verdict {
    if (this.#isExpired(jwt, nowMs)) return 'expired';
    if (!this.#hasFreshCopy(nowMs)) {
      this.fetch(nowMs);
      if (!this.#hasUsableCopy(nowMs)) {
        this.#copy = undefined;
        return 'no-copy';
      }
    }
    if (this.plan.kind === 'refetch-on-unknown-kid' && this.#findKey(jwt.kid) === undefined) {
      if (nowMs - this.#askedAtMs >= this.plan.cooldownMs) this.fetch(nowMs);
    }
    const publicKey = this.#findKey(jwt.kid);
    if (publicKey === undefined) return 'unknown-kid';
    return jwt.signedBy === publicKey ? 'verified' : 'bad-signature';
  }

  #findKey(kid: string): string | undefined {
    if (this.#copy === undefined) return undefined;
    this.#keys ??= parseDocument(this.#copy.body);
    return this.#keys.get(kid);
  }

  #isExpired({ expMs }: ParsedJwt, nowMs: number): boolean {
    return nowMs + this.plan.clockOffsetMs >= expMs + this.plan.leewayMs;
  }

  #hasFreshCopy(nowMs: number): boolean {
    if (this.#copy === undefined) return false;
    const isByCeiling = this.plan.kind === 'fixed-ttl' || this.plan.kind === 'refetch-on-unknown-kid';
    // Whoever keeps copies for the ceiling follows it at once when it is raised, and late when it is lowered.
    const keptMs = isByCeiling ? Math.max(this.#copy.ceilingMs, this.#around.ceilingMs()) : this.#copy.maxAgeMs;
    return nowMs - this.#copy.fetchedAtMs < keptMs;
  }

  /** After a fetch that may have failed. */
  #hasUsableCopy(nowMs: number): boolean {
    if (this.#hasFreshCopy(nowMs)) return true;
    if (this.#copy === undefined || this.plan.kind !== 'stale-if-error') return false;
    return nowMs - this.#copy.fetchedAtMs < this.#copy.ceilingMs;
  }
}
