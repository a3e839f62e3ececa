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
import { activeVersion } from '../lifecycle/rules.ts';

export interface Signer {
  readonly kid: Kid;
  readonly ckaId: CkaId;
  readonly algorithm: Algorithm;
  readonly publicKey: KeyObject;
  readonly expCeilingMs: number;
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

export class Signers {
  readonly #material = new Map<Kid, VersionMaterial>();
  #byName: ReadonlyMap<SigningKeyName, Signer> = new Map();

  rebuild(states: Iterable<SigningKeyState>): void {
    const byName = new Map<SigningKeyName, Signer>();
    for (const state of states) {
      const active = activeVersion(state);
      if (active !== undefined) byName.set(state.name, this.#toSigner(state, active));
    }
    this.#byName = byName;
    const inUse = new Set([...byName.values()].map((signer) => signer.kid));
    for (const kid of this.#material.keys()) {
      if (!inUse.has(kid)) this.#material.delete(kid);
    }
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
