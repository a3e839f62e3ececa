/**
 * The published key sets as bytes: one immutable snapshot per generation, swapped whole after the commit. Servers read
 * it without waiting; nothing is built per request.
 */
import { createHash } from 'node:crypto';
import type { KeySetName, Kid } from '../base/ids.ts';
import { toPublicJwk } from '../jose/public-key.ts';
import { toKeySetDocument } from '../jose/key-set.ts';
import type { KeySetState, SigningKeyState } from '../lifecycle/fold.ts';
import { publishedImports } from '../lifecycle/imports.ts';
import type { KeySetSnapshot } from './application.ts';

/** Characters of base64url of the document's SHA-256 in the entity tag: 132 bits. */
const ETAG_CHARACTERS = 22;

export class Publisher {
  #snapshots = new Map<string, KeySetSnapshot>();

  /** Rebuilds what changed. `signingKeysOf`: in the order of creation. `isWithheld`: taken out before it is durable. */
  rebuild(
    keySets: Iterable<KeySetState>,
    signingKeysOf: (keySet: KeySetName) => readonly SigningKeyState[],
    isWithheld: (kid: Kid) => boolean,
  ): void {
    const next = new Map<string, KeySetSnapshot>();
    for (const keySet of keySets) {
      if (keySet.generation === 0) continue;
      const before = this.#snapshots.get(keySet.name);
      const isCurrent =
        before?.generation === keySet.generation &&
        before.maxAgeSeconds === maxAgeSeconds(keySet) &&
        before.kids.size === keySet.kids.filter((kid) => !isWithheld(kid)).length;
      next.set(keySet.name, isCurrent ? before : toSnapshot(keySet, signingKeysOf(keySet.name), isWithheld));
    }
    this.#snapshots = next;
  }

  find(name: string): KeySetSnapshot | undefined {
    return this.#snapshots.get(name);
  }
}

function maxAgeSeconds(keySet: KeySetState): number {
  return Math.floor(keySet.promise.jwksMaxAgeMs / 1_000);
}

function toSnapshot(
  keySet: KeySetState,
  signingKeys: readonly SigningKeyState[],
  isWithheld: (kid: Kid) => boolean,
): KeySetSnapshot {
  const versions = signingKeys.flatMap((state) =>
    state.versions
      .filter((version) => version.isPublished && !isWithheld(version.kid))
      .map((version) => toPublicJwk(version.publicKey, version.kid, state.spec.algorithm)),
  );
  const imports = publishedImports(keySet)
    .filter(({ kid }) => !isWithheld(kid))
    .map(({ publicKey, kid, algorithm }) => toPublicJwk(publicKey, kid, algorithm));
  const jwks = [...versions, ...imports];
  const body = toKeySetDocument(jwks);
  const digest = createHash('sha256').update(body).digest('base64url');
  return {
    keySet: keySet.name,
    generation: keySet.generation,
    kids: new Set(jwks.map((jwk) => jwk.kid)),
    body,
    etag: `"${digest.slice(0, ETAG_CHARACTERS)}"`,
    maxAgeSeconds: maxAgeSeconds(keySet),
  };
}
