/** What a simulation counted; sums over worlds. */
import { VERIFIER_KINDS, type VerifierKind } from './verifiers.ts';

export const COUNTED = [
  'rotations',
  'activations',
  'compromises',
  'crashes',
  'restarts',
  'tokenOutages',
  'generationOutages',
  'diskFull',
  'httpOutages',
  'clockSteps',
  'reboots',
  'oldStores',
  'unmaskedStores',
  'suspensions',
  'rollbacks',
  'retirements',
  'schedules',
  'compromiseChecks',
  'policyChanges',
  'promiseChanges',
  'commandsDone',
  'commandsRefused',
  'jwtsIssued',
  'jwtsRefused',
  'commits',
  'keysMade',
] as const;
type Counted = (typeof COUNTED)[number];

export class Counts {
  readonly #counts = new Map<Counted, number>(COUNTED.map((name) => [name, 0]));
  readonly #verifications = new Map<VerifierKind, number>(VERIFIER_KINDS.map((kind) => [kind, 0]));

  add(name: Counted, by = 1): void {
    this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }

  addVerification(kind: VerifierKind, by = 1): void {
    this.#verifications.set(kind, (this.#verifications.get(kind) ?? 0) + by);
  }

  addAll(other: Counts): void {
    for (const [name, count] of other.#counts) this.add(name, count);
    for (const [kind, count] of other.#verifications) this.addVerification(kind, count);
  }

  get(name: Counted): number {
    return this.#counts.get(name) ?? 0;
  }

  get verifications(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#verifications);
  }

  toObject(): Readonly<Record<string, number>> {
    return Object.fromEntries(this.#counts);
  }
}
