/**
 * The published key sets as bytes: one immutable snapshot per generation, swapped whole after the commit. Servers read
 * it without waiting; nothing is built per request.
 */
import { hash } from 'node:crypto';
import type { KeySetName, Kid } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import type { PublicJwk, PublicKeyMembers } from '../jose/jwk.ts';
import { toPublicJwk } from '../jose/public-key.ts';
import { toKeySetDocument } from '../jose/key-set.ts';
import type { KeyVersion, SigningKeyState } from '../lifecycle/signing-key-state.ts';
import type { KeySetState } from '../lifecycle/fold-key-set.ts';
import { publishedImports } from '../lifecycle/imports.ts';
import type { KeySetSnapshot } from './application.ts';

/** Characters of base64url of the document's SHA-256 in the entity tag: 132 bits. */
const ETAG_CHARACTERS = 22;
/** What is promised at most while verifiers may still hold a compromised version: they look again soon. */
const INCIDENT_MAX_AGE_MS = 60_000;

export class Publisher {
  #snapshots = new Map<string, KeySetSnapshot>();
  #incidentEndsMs = Number.POSITIVE_INFINITY;

  /** When the next incident is over (Unix ms), and `rebuild` is due though nothing was committed. */
  get incidentEndsMs(): number {
    return this.#incidentEndsMs;
  }

  /** Rebuilds what changed. `signingKeysOf`: in the order of creation. `isWithheld`: taken out before it is durable; undefined: nothing is. */
  rebuild(
    keySets: Iterable<KeySetState>,
    signingKeysOf: (keySet: KeySetName) => readonly SigningKeyState[],
    isWithheld: ((kid: Kid) => boolean) | undefined,
    nowMs: number,
  ): void {
    this.#incidentEndsMs = Number.POSITIVE_INFINITY;
    const next = new Map<string, KeySetSnapshot>();
    for (const keySet of keySets) {
      if (keySet.generation === 0) continue;
      const before = this.#snapshots.get(keySet.name);
      const signingKeys = signingKeysOf(keySet.name);
      const remaining =
        isWithheld === undefined ? keySet.kids.length : keySet.kids.filter((kid) => !isWithheld(kid)).length;
      const endsMs = incidentEndMs(keySet, signingKeys);
      const isIncident = remaining < keySet.kids.length || nowMs < endsMs;
      if (nowMs < endsMs) this.#incidentEndsMs = Math.min(this.#incidentEndsMs, endsMs);
      const maxAgeSeconds = toMaxAgeSeconds(keySet, isIncident);
      const isCurrent =
        before?.generation === keySet.generation &&
        before.maxAgeSeconds === maxAgeSeconds &&
        before.kids.size === remaining;
      next.set(keySet.name, isCurrent ? before : { ...toSnapshot(keySet, signingKeys, isWithheld), maxAgeSeconds });
    }
    this.#snapshots = next;
  }

  find(name: string): KeySetSnapshot | undefined {
    return this.#snapshots.get(name);
  }
}

/** Rule 1 doesn't rest on it: what a version must have been served follows the ceiling, which stays. */
function toMaxAgeSeconds({ promise }: KeySetState, isIncident: boolean): number {
  const maxAgeMs = isIncident ? Math.min(promise.jwksMaxAgeMs, INCIDENT_MAX_AGE_MS) : promise.jwksMaxAgeMs;
  return Math.floor(maxAgeMs / 1_000);
}

/** Until then somebody may use a copy with a version that was declared compromised. */
function incidentEndMs({ promise }: KeySetState, signingKeys: readonly SigningKeyState[]): number {
  let latestMs = Number.NEGATIVE_INFINITY;
  for (const { latestCompromiseMs } of signingKeys) latestMs = Math.max(latestMs, latestCompromiseMs ?? latestMs);
  return latestMs + promise.verifierCacheCeilingMs;
}

/** By the public key's members, which are one object for a version's whole life. */
const versionJwks = new WeakMap<PublicKeyMembers, PublicJwk>();

function toVersionJwk({ publicKey, kid }: KeyVersion, algorithm: Algorithm): PublicJwk {
  const known = versionJwks.get(publicKey);
  if (known !== undefined) return known;
  const jwk = toPublicJwk(publicKey, kid, algorithm);
  versionJwks.set(publicKey, jwk);
  return jwk;
}

function toSnapshot(
  keySet: KeySetState,
  signingKeys: readonly SigningKeyState[],
  isWithheld: (kid: Kid) => boolean = () => false,
): Omit<KeySetSnapshot, 'maxAgeSeconds'> {
  const versions = signingKeys.flatMap((state) =>
    state.versions
      .filter((version) => version.isPublished && !isWithheld(version.kid))
      .map((version) => toVersionJwk(version, state.spec.algorithm)),
  );
  const imports = publishedImports(keySet)
    .filter(({ kid }) => !isWithheld(kid))
    .map(({ publicKey, kid, algorithm }) => toPublicJwk(publicKey, kid, algorithm));
  const jwks = [...versions, ...imports];
  const body = toKeySetDocument(jwks);
  const digest = hash('sha256', body, 'base64url');
  return {
    keySet: keySet.name,
    generation: keySet.generation,
    kids: new Set(jwks.map((jwk) => jwk.kid)),
    body,
    etag: `"${digest.slice(0, ETAG_CHARACTERS)}"`,
  };
}
