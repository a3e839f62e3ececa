/**
 * The hot path's view: for each signing key the version that signs now, with everything precomputed. Rebuilt after
 * each commit, read by SignJwt without a lock.
 */
import type { CkaId, Kid, SigningKeyName } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import { toProtectedHeader } from '../jose/compact.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { activeVersion, signingEndsMs } from '../lifecycle/rules.ts';
import type { Withholding } from './ledger.ts';

export interface Signer {
  readonly kid: Kid;
  readonly ckaId: CkaId;
  readonly algorithm: Algorithm;
  readonly publicKey: PublicKeyMembers;
  readonly expCeilingMs: number;
  /** Rule 5: from here on it signs nothing more (Unix ms). */
  readonly signingEndsMs: number;
  readonly maxJwtLifetimeMs: number;
  readonly addJti: boolean;
  readonly addNbf: boolean;
  /** The protected header for a `typ`, base64url. */
  readonly headerFor: (typ: string) => string;
}

/** Distinct `typ` values remembered per version: the access policy names few. */
const MAX_CACHED_HEADERS = 16;

/** What one signing key adds, and what it was made from: made again only when that changes. */
interface Entry {
  readonly state: SigningKeyState;
  readonly signer: Signer | undefined;
  /** Versions whose signatures may be released. */
  readonly standing: readonly Kid[];
}

export class Signers {
  readonly #headers = new Map<Kid, Signer['headerFor']>();
  readonly #entries = new Map<SigningKeyName, Entry>();
  #wasWithheld = false;

  /** `successorOf`: who signs instead when a narrowing took the ACTIVE version, before that is durable (rule 6). */
  rebuild(
    states: Iterable<SigningKeyState>,
    withheld: ReadonlyMap<Kid, Withholding>,
    successorOf: (state: SigningKeyState) => KeyVersion | undefined,
  ): void {
    const isWithheld = withheld.size > 0;
    for (const state of states) {
      if (this.#entries.get(state.name)?.state === state && !isWithheld && !this.#wasWithheld) continue;
      const active = activeVersion(state);
      const signing = active === undefined || !withheld.has(active.kid) ? active : successorOf(state);
      const signer = signing === undefined ? undefined : this.#toSigner(state, signing);
      const before = this.#entries.get(state.name)?.signer?.kid;
      if (before !== undefined && before !== signer?.kid) this.#headers.delete(before);
      this.#entries.set(state.name, { state, signer, standing: standingKids(state, withheld) });
    }
    this.#wasWithheld = isWithheld;
  }

  /** Nothing that a compromised version signed may be released, whenever it was asked for. */
  isStanding(name: SigningKeyName, kid: Kid): boolean {
    return this.#entries.get(name)?.standing.includes(kid) === true;
  }

  find(name: SigningKeyName): Signer | undefined {
    return this.#entries.get(name)?.signer;
  }

  #toSigner(state: SigningKeyState, active: KeyVersion): Signer {
    return {
      kid: active.kid,
      ckaId: active.ckaId,
      algorithm: state.spec.algorithm,
      publicKey: active.publicKey,
      headerFor: this.#headersOf(state.spec.algorithm, active.kid),
      expCeilingMs: active.expCeilingMs ?? 0,
      signingEndsMs: active.activatedAtMs === undefined ? Number.POSITIVE_INFINITY : signingEndsMs(state, active),
      maxJwtLifetimeMs: state.policy.maxJwtLifetimeMs,
      addJti: state.policy.addJti,
      addNbf: state.policy.addNbf === true,
    };
  }

  #headersOf(algorithm: Algorithm, kid: Kid): Signer['headerFor'] {
    const known = this.#headers.get(kid);
    if (known !== undefined) return known;
    const headers = new Map<string, string>();
    const headerFor = (typ: string): string => {
      const cached = headers.get(typ);
      if (cached !== undefined) return cached;
      const header = toProtectedHeader(algorithm, kid, typ);
      if (headers.size < MAX_CACHED_HEADERS) headers.set(typ, header);
      return header;
    };
    this.#headers.set(kid, headerFor);
    return headerFor;
  }
}

function standingKids({ versions }: SigningKeyState, withheld: ReadonlyMap<Kid, Withholding>): readonly Kid[] {
  return versions
    .filter(({ state, kid }) => state !== 'COMPROMISED' && withheld.get(kid) !== 'everything')
    .map(({ kid }) => kid);
}
