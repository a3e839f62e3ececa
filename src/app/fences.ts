/**
 * The fences in force (rule 9): computed after each comparison of store and token and after each commit, so that signing
 * asks for nothing but a name. Until store and token have been compared, every signing key is fenced.
 */
import { KeyturnError } from '../base/errors.ts';
import type { KeySetName, Kid, SigningKeyName } from '../base/ids.ts';
import {
  type Evidence,
  type Fence,
  findFence,
  isDoubtful,
  isFirstGenerationInDoubt,
  withheldByFence,
} from '../lifecycle/fence.ts';
import type { Finding } from '../lifecycle/reconcile.ts';
import type { Ledger } from './ledger.ts';

const NO_OBJECTS: readonly Finding[] = [];
const NO_FENCES: ReadonlyMap<string, Fence> = new Map();
const NOTHING: ReadonlySet<never> = new Set();

export class Fences {
  readonly #ledger: Ledger;
  #findings: readonly Finding[] | undefined;
  #fences: ReadonlyMap<string, Fence> = NO_FENCES;
  #withheldKids: ReadonlySet<Kid> = NOTHING;
  #withheldKeySets: ReadonlySet<string> = NOTHING;

  constructor(ledger: Ledger) {
    this.#ledger = ledger;
    this.refresh();
  }

  /** After a comparison. */
  setFindings(findings: readonly Finding[]): void {
    this.#findings = findings;
    this.refresh();
  }

  /** After a commit: decisions lift fences, and what is new has them. */
  refresh(): void {
    const { signingKeys, keySets } = this.#ledger;
    const evidence = this.#evidence;
    if (!isDoubtful(evidence)) {
      this.#fences = NO_FENCES;
      this.#withheldKids = NOTHING;
      this.#withheldKeySets = NOTHING;
      return;
    }
    // One that isn't there has no key set whose generation could be in doubt.
    const generations = new Map<string, number>(evidence.findings.map(({ signingKey = '' }) => [signingKey, 1]));
    for (const { name, keySet } of signingKeys.values()) generations.set(name, keySets.get(keySet)?.generation ?? 0);
    const fences = new Map<string, Fence>();
    for (const [name, generation] of generations) {
      const fence = findFence(name, generation, evidence);
      if (fence !== undefined) fences.set(name, fence);
    }
    this.#fences = fences;
    this.#withheldKids = withheldByFence(signingKeys.values(), (name) => fences.has(name), evidence.findings);
    const isUnknown = evidence.token.restoration !== undefined;
    this.#withheldKeySets = new Set(
      [...keySets.values()]
        .filter(({ generation }) => isUnknown || isFirstGenerationInDoubt(generation, evidence))
        .map(({ name }) => name),
    );
  }

  names(): readonly string[] {
    return [...this.#fences.keys()];
  }

  isFenced(name: string): boolean {
    return this.#fences.has(name);
  }

  isUnfenced(name: string): boolean {
    return this.#findings !== undefined && !this.#fences.has(name);
  }

  /** May the signing key sign and change? Errors: SIGNING_KEY_FENCED, TOKEN_UNAVAILABLE while nobody has compared yet. */
  requireUnfenced(name: SigningKeyName): void {
    this.#refuse(name, this.#fences.get(name));
    this.#requireCompared(name);
  }

  /** May a signing key of that name be made, in that key set? Errors: SIGNING_KEY_FENCED. */
  requireCreatable(name: SigningKeyName, keySet: KeySetName): void {
    const generation = this.#ledger.keySets.get(keySet)?.generation ?? 0;
    this.#refuse(name, this.#fences.get(name) ?? findFence(name, generation, this.#evidence));
  }

  /**
   * May a public key be imported? An import is a first generation: where that is in doubt, it must not end the doubt.
   * Errors: KEY_SET_WITHHELD, TOKEN_UNAVAILABLE while nobody has compared yet.
   */
  requireImportable(keySet: KeySetName): void {
    if (this.isKeySetWithheld(keySet)) {
      throw new KeyturnError(
        'KEY_SET_WITHHELD',
        `key set ${keySet} takes no imported key: the store may have forgotten what was in it; decide with keyturn recover`,
        { subject: keySet, rule: 'fence' },
      );
    }
    if (this.#ledger.requireKeySet(keySet).generation === 0) this.#requireCompared(keySet);
  }

  /** Why a fenced signing key is; empty when it isn't. */
  problemOf(name: SigningKeyName): string {
    const fence = this.#fences.get(name);
    return fence === undefined ? '' : `fenced: ${describeFence(fence)}`;
  }

  get withholdsAny(): boolean {
    return this.#withheldKids.size > 0;
  }

  /** Not published, though the store says so. */
  isWithheld(kid: Kid): boolean {
    return this.#withheldKids.has(kid);
  }

  /** Nobody knows what belongs into it: an old copy would do harm, and so would none that claims to be whole. */
  isKeySetWithheld(name: string): boolean {
    return this.#withheldKeySets.has(name);
  }

  get #evidence(): Evidence {
    return { findings: this.#findings ?? NO_OBJECTS, token: this.#ledger.token };
  }

  #requireCompared(subject: string): void {
    if (this.#findings !== undefined) return;
    throw new KeyturnError(
      'TOKEN_UNAVAILABLE',
      'store and token have not been compared yet; that is done as soon as the token is ready',
      { subject },
    );
  }

  #refuse(name: SigningKeyName, fence: Fence | undefined): void {
    if (fence === undefined) return;
    throw new KeyturnError(
      'SIGNING_KEY_FENCED',
      `signing key ${name} neither signs nor changes: ${describeFence(fence)}; look with keyturn recover --dry-run`,
      { subject: name, rule: 'fence' },
    );
  }
}

function describeFence(fence: Fence): string {
  switch (fence.kind) {
    case 'restored':
      return `the store was restored from a copy that knows nothing of what happened after ${new Date(fence.restoration.knownUntilMs).toISOString()}`;
    case 'unexplained': {
      const objects = fence.objects.map(({ kind, ckaId }) => `${ckaId} (${kind})`).join(', ');
      return `the token holds objects that the store can't explain, as after the loss of the store or the restore of an old one: ${objects}`;
    }
  }
}
