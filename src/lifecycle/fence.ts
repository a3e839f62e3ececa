/**
 * What a doubtful history takes away (rule 9): who may neither sign nor change, and what may not be published. A store
 * that was restored, or that can't explain an object in the token, may have forgotten that a version was withdrawn.
 * Pure.
 */
import type { CkaId, Kid } from '../base/ids.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import type { Finding, FindingKind } from './reconcile.ts';
import type { Restoration, TokenState } from './token-log.ts';

export interface Evidence {
  /** Of the latest comparison of store and token; empty before the first. */
  readonly findings: readonly Finding[];
  readonly token: Pick<TokenState, 'ignored' | 'restoration'>;
}

/** Why a signing key neither signs nor changes. */
export type Fence =
  | { readonly kind: 'restored'; readonly restoration: Restoration }
  | { readonly kind: 'unexplained'; readonly objects: readonly Finding[] };

const UNEXPLAINED: ReadonlySet<FindingKind> = new Set(['orphan', 'resurrected']);

/** Objects in the token that the store can't explain, and that no operator decided to ignore. */
export function unexplainedObjects({ findings, token }: Evidence): readonly Finding[] {
  return findings.filter(({ kind, ckaId }) => UNEXPLAINED.has(kind) && !token.ignored.has(ckaId));
}

export function isUnexplained({ kind }: Finding): boolean {
  return UNEXPLAINED.has(kind);
}

/** Whether there is anything that fences. */
export function isDoubtful(evidence: Evidence): boolean {
  return evidence.token.restoration !== undefined || unexplainedObjects(evidence).length > 0;
}

/** `generation`: of its key set. */
export function findFence(name: string, generation: number, evidence: Evidence): Fence | undefined {
  const { restoration } = evidence.token;
  if (restoration !== undefined) return { kind: 'restored', restoration };
  const unexplained = unexplainedObjects(evidence);
  const own = unexplained.filter(({ signingKey }) => signingKey === name);
  if (own.length > 0) return { kind: 'unexplained', objects: own };
  return isFirstGenerationInDoubt(generation, evidence) ? { kind: 'unexplained', objects: unexplained } : undefined;
}

/** Rule 4 rests on there being no copy of the key set yet. An object of ours that the store doesn't know says otherwise. */
export function isFirstGenerationInDoubt(generation: number, evidence: Evidence): boolean {
  return generation === 0 && unexplainedObjects(evidence).length > 0;
}

/**
 * Versions that are not published while their signing key is fenced: the store believes that their private key is in the
 * token, and it isn't. They were withdrawn after what the store knows: compromised, perhaps. Without a fence a missing
 * key is the token's loss: its JWTs stay good, and it stays published.
 */
export function withheldByFence(
  signingKeys: Iterable<SigningKeyState>,
  isFenced: (name: string) => boolean,
  findings: readonly Finding[],
): ReadonlySet<Kid> {
  const missing = new Set<CkaId>(findings.filter(({ kind }) => kind === 'missing').map(({ ckaId }) => ckaId));
  const withheld = new Set<Kid>();
  if (missing.size === 0) return withheld;
  for (const { name, versions } of signingKeys) {
    if (!isFenced(name)) continue;
    for (const { kid, ckaId, state } of versions) if (missing.has(ckaId) && state !== 'DEACTIVATED') withheld.add(kid);
  }
  return withheld;
}
