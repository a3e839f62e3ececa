/**
 * The hot path's view: for each signing key the version that signs now, with everything precomputed. Rebuilt after
 * each commit, read by SignJwt without a lock.
 */
import type { KeyObject } from 'node:crypto';
import type { CkaId, Kid, SigningKeyName } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import { toProtectedHeader } from '../jose/compact.ts';
import { toPublicKey } from '../jose/public-key.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/fold.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import { activeVersion, findEmergencySuccessor, signingEndsMs } from '../lifecycle/rules.ts';
import type { Withholding } from './ledger.ts';

export interface Signer {
  readonly kid: Kid;
  readonly ckaId: CkaId;
  readonly algorithm: Algorithm;
  readonly publicKey: KeyObject;
  readonly expCeilingMs: number;
  /** Rule 5: from here on it signs nothing more (Unix ms). */
  readonly signingEndsMs: number;
  readonly maxJwtLifetimeMs: number;
  readonly addJti: boolean;
  /** The protected header for a `typ`, base64url. */
  readonly headerFor: (typ: string) => string;
}

/** Distinct `typ` values remembered per version: the access policy names few. */
const MAX_CACHED_HEADERS = 16;

/** What of a version never changes, kept over rebuilds: importing a public key costs far more than a lookup. */
interface VersionMaterial {
  readonly publicKey: KeyObject;
  readonly headerFor: (typ: string) => string;
}

/**
 * The ACTIVE version; when a narrowing took it, before that is durable, its emergency successor (rule 6): it is propagated
 * and its `expCeiling` was reserved beforehand.
 */
function signingVersion(
  state: SigningKeyState,
  withheld: ReadonlyMap<Kid, Withholding>,
  { keySet, nowMs }: Surroundings,
): KeyVersion | undefined {
  const active = activeVersion(state);
  if (active === undefined || !withheld.has(active.kid)) return active;
  return findEmergencySuccessor(state, keySet, nowMs, ({ kid }) => withheld.has(kid));
}

export class Signers {
  readonly #material = new Map<Kid, VersionMaterial>();
  #byName: ReadonlyMap<SigningKeyName, Signer> = new Map();
  #fallen: ReadonlySet<Kid> = new Set();

  /** `around` tells the key set and the time of a state. */
  rebuild(
    states: Iterable<SigningKeyState>,
    withheld: ReadonlyMap<Kid, Withholding>,
    around: (state: SigningKeyState) => Surroundings,
  ): void {
    const byName = new Map<SigningKeyName, Signer>();
    const fallen = new Set<Kid>();
    for (const state of states) {
      const signing = signingVersion(state, withheld, around(state));
      if (signing !== undefined) byName.set(state.name, this.#toSigner(state, signing));
      for (const version of state.versions) {
        if (version.state === 'COMPROMISED' || withheld.get(version.kid) === 'everything') fallen.add(version.kid);
      }
    }
    this.#byName = byName;
    this.#fallen = fallen;
    const inUse = new Set([...byName.values()].map((signer) => signer.kid));
    for (const kid of this.#material.keys()) {
      if (!inUse.has(kid)) this.#material.delete(kid);
    }
  }

  /** Compromised: nothing that it signed may be released, whenever it was asked for. */
  isFallen(kid: Kid): boolean {
    return this.#fallen.has(kid);
  }

  find(name: SigningKeyName): Signer | undefined {
    return this.#byName.get(name);
  }

  #toSigner(state: SigningKeyState, active: KeyVersion): Signer {
    const { publicKey, headerFor } = this.#materialOf(state.spec.algorithm, active);
    return {
      kid: active.kid,
      ckaId: active.ckaId,
      algorithm: state.spec.algorithm,
      publicKey,
      headerFor,
      expCeilingMs: active.expCeilingMs ?? 0,
      signingEndsMs: active.activatedAtMs === undefined ? Number.POSITIVE_INFINITY : signingEndsMs(state, active),
      maxJwtLifetimeMs: state.policy.maxJwtLifetimeMs,
      addJti: state.policy.addJti,
    };
  }

  #materialOf(algorithm: Algorithm, version: KeyVersion): VersionMaterial {
    const known = this.#material.get(version.kid);
    if (known !== undefined) return known;
    const headers = new Map<string, string>();
    const material: VersionMaterial = {
      publicKey: toPublicKey(version.publicKey),
      headerFor: (typ) => {
        const cached = headers.get(typ);
        if (cached !== undefined) return cached;
        const header = toProtectedHeader(algorithm, version.kid, typ);
        if (headers.size < MAX_CACHED_HEADERS) headers.set(typ, header);
        return header;
      },
    };
    this.#material.set(version.kid, material);
    return material;
  }
}
