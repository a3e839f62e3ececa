/**
 * Callers that sign without a pause, and the verifier that looks at every JWT twice: when it arrives, with a key set
 * that is kept for as long as `max-age` allows and never fetched early, and again with the last key set that was published
 * before it expires. Each JWT carries a `sub` of its own, so that an answer that belongs to another caller is seen.
 */
import { createLocalJWKSet, createRemoteJWKSet, errors, type JSONWebKeySet, jwtVerify } from 'jose';
import { toKeyturnError } from '../../src/base/errors.ts';
import type { KeyturnClient } from '../../src/client/client.ts';
import { AUDIENCE, ISSUER } from '../../test/fixtures/deployment.ts';
import type { Prng } from '../../test/simulation/prng.ts';

const DEADLINE_MS = 5_000;
/** Longer than the longest soak: an unknown kid is never looked up early. */
const NO_EARLY_FETCH_MS = 31_536_000_000;
/** Longer than a call may take: no JWT arrives when it has expired already. */
const SHORTEST_LIFETIME_SECONDS = 7;
/** Between two fetches of the key set: on a machine with room, a JWT is looked at again hardly longer before its `exp`. */
const LOOK_MS = 100;
/** The key sets of the last minute, at least. */
const MAX_KEY_SETS = 600;
/** After a refusal a caller waits so long. */
const REFUSED_PAUSE_MS = 50;
const MAX_PROBLEMS = 20;

export interface LoadOptions {
  readonly clients: readonly KeyturnClient[];
  readonly inFlight: number;
  readonly signingKeys: readonly string[];
  readonly longestLifetimeSeconds: number;
  readonly jwksUrl: string;
  readonly jwksMaxAgeMs: number;
  readonly prng: Prng;
}

interface Signed {
  readonly jwt: string;
  readonly sub: string;
}

interface KeySetThen {
  readonly text: string;
  readonly keySet: ReturnType<typeof createLocalJWKSet>;
  /** Unix time of its arrival. */
  readonly atMs: number;
}

export class SoakLoad {
  readonly #options: LoadOptions;
  readonly #keySet: ReturnType<typeof createRemoteJWKSet>;
  /** JWTs by the second in which they expire. */
  readonly #expiring = new Map<number, string[]>();
  #running: Promise<unknown> | undefined;
  readonly #keySets: KeySetThen[] = [];
  #isStopping = false;
  #isWatching = true;
  #asked = 0;
  signed = 0;
  verifiedAgain = 0;
  /** The second look at its earliest. */
  longestBeforeExpMs = 0;
  /** A signature, a claim or a header that is wrong. */
  invalid = 0;
  /** No key for it in the key set, or no key set. */
  unverifiable = 0;
  readonly failed: Record<string, number> = {};
  readonly kids = new Set<string>();
  /** The first few of whatever must not be. */
  readonly problems: string[] = [];

  constructor(options: LoadOptions) {
    this.#options = options;
    this.#keySet = createRemoteJWKSet(new URL(options.jwksUrl), {
      cacheMaxAge: options.jwksMaxAgeMs,
      cooldownDuration: NO_EARLY_FETCH_MS,
    });
  }

  start(): void {
    const lanes = Array.from({ length: this.#options.inFlight }, (_, lane) => this.#call(lane));
    this.#running ??= Promise.all([...lanes, this.#lookAtExpiring(), this.#watchKeySet()]);
  }

  get failures(): number {
    return Object.values(this.failed).reduce((sum, count) => sum + count, 0);
  }

  /** Resolves when every signing key has signed a request that was made after this call. */
  async probe(withinMs: number): Promise<void> {
    const untilMs = performance.now() + withinMs;
    const probeOne = async (signingKey: string): Promise<void> => {
      for (;;) {
        const signed = await this.#sign(0, signingKey);
        if (signed !== undefined) return this.#look(signed);
        if (performance.now() > untilMs) throw new Error(`${signingKey} does not sign ${withinMs} ms after a fault`);
        await pause(REFUSED_PAUSE_MS);
      }
    };
    await Promise.all(this.#options.signingKeys.map(probeOne));
  }

  /** Resolves when every call has been answered and every JWT has been looked at twice. */
  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#running;
  }

  async #call(lane: number): Promise<void> {
    const { signingKeys, prng } = this.#options;
    let looked = Promise.resolve();
    while (!this.#isStopping) {
      const signed = await this.#sign(lane, signingKeys[prng.whole(0, signingKeys.length - 1)] ?? '');
      await looked;
      looked = signed === undefined ? pause(REFUSED_PAUSE_MS) : this.#look(signed);
    }
    await looked;
  }

  async #sign(lane: number, signingKey: string): Promise<Signed | undefined> {
    const { clients, longestLifetimeSeconds, prng } = this.#options;
    const client = clients[lane % clients.length];
    if (client === undefined) throw new RangeError('the load needs a client');
    this.#asked += 1;
    const sub = String(this.#asked);
    const lifetimeSeconds = prng.whole(SHORTEST_LIFETIME_SECONDS, longestLifetimeSeconds);
    try {
      const { jwt, kid } = await client.signJwt(
        { signingKey, claims: { iss: ISSUER, aud: AUDIENCE, sub }, lifetimeSeconds },
        { deadlineMs: DEADLINE_MS },
      );
      this.signed += 1;
      this.kids.add(kid);
      return { jwt, sub };
    } catch (error) {
      const { reason } = toKeyturnError(error);
      this.failed[reason] = (this.failed[reason] ?? 0) + 1;
      return undefined;
    }
  }

  async #look({ jwt, sub }: Signed): Promise<void> {
    try {
      const { payload } = await jwtVerify(jwt, this.#keySet, { issuer: ISSUER, audience: AUDIENCE, subject: sub });
      const { exp = 0 } = payload;
      const others = this.#expiring.get(exp);
      if (others === undefined) this.#expiring.set(exp, [jwt]);
      else others.push(jwt);
    } catch (error) {
      this.#complain('when it arrived', error);
    }
  }

  /** Each JWT is held against the last key set that came before it expired, however late this program gets round to it. */
  async #lookAtExpiring(): Promise<void> {
    while (!this.#isStopping || this.#expiring.size > 0) {
      await pause(LOOK_MS);
      const untilMs = this.#keySets.at(-1)?.atMs ?? 0;
      for (const [exp, jwts] of this.#expiring) {
        if (exp * 1_000 > untilMs) continue;
        this.#expiring.delete(exp);
        await this.#lookAgain(jwts, exp * 1_000);
      }
    }
    this.#isWatching = false;
  }

  async #lookAgain(jwts: readonly string[], expMs: number): Promise<void> {
    const last = this.#keySets.findLast(({ atMs }) => atMs < expMs);
    if (last === undefined) return;
    this.longestBeforeExpMs = Math.max(this.longestBeforeExpMs, expMs - last.atMs);
    for (const jwt of jwts) {
      await jwtVerify(jwt, last.keySet, { currentDate: new Date(last.atMs) }).catch((error: unknown) => {
        this.#complain('before it expired', error);
      });
      this.verifiedAgain += 1;
    }
  }

  async #watchKeySet(): Promise<void> {
    while (this.#isWatching) {
      try {
        const response = await fetch(this.#options.jwksUrl);
        const text = await response.text();
        if (!response.ok) throw new errors.JWKSInvalid(`the key set is answered with ${response.status}`);
        const last = this.#keySets.at(-1);
        const keySet = last?.text === text ? last.keySet : createLocalJWKSet(JSON.parse(text) as JSONWebKeySet);
        this.#keySets.push({ text, keySet, atMs: Date.now() });
        if (this.#keySets.length > MAX_KEY_SETS) this.#keySets.shift();
      } catch (error) {
        this.#complain('when the key set was fetched', error);
      }
      await pause(LOOK_MS);
    }
  }

  #complain(when: string, error: unknown): void {
    if (error instanceof errors.JWSSignatureVerificationFailed || error instanceof errors.JWTClaimValidationFailed)
      this.invalid += 1;
    else if (error instanceof errors.JWTInvalid || error instanceof errors.JWSInvalid) this.invalid += 1;
    else this.unverifiable += 1;
    if (this.problems.length < MAX_PROBLEMS) this.problems.push(`${when}: ${String(error)}`);
  }
}

export function pause(delayMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, delayMs));
}
