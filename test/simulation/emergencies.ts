/**
 * Compromises, and what must be true of each: it is in effect before the command resolves, OK means for ever, and
 * (the third invariant) signing goes on when the signing key had healed from the one before.
 */
import type { Counts } from './counts.ts';
import type { Subject } from './daemon.ts';
import type { VersionFacts } from './facts.ts';
import type { Happening } from './scenario.ts';
import { settle } from './virtual-time.ts';
import type { Invariant, Witness } from './witness.ts';

export interface EmergencyPorts {
  readonly subject: Subject;
  readonly witness: Witness;
  readonly counts: Counts;
  readonly violate: (invariant: Invariant, words: string) => void;
  readonly command: (what: string, done: Promise<void>) => void;
}

const FULL_STRENGTH = 2;

export class Emergencies {
  readonly #ports: EmergencyPorts;
  /** Signing keys with two propagated standbys since the last thing that took one beyond a rotation. */
  readonly #healed = new Set<string>();

  constructor(ports: EmergencyPorts) {
    this.#ports = ports;
  }

  /** Something other than a plain rotation took a standby, or may have: the third invariant waits until it is healed. */
  noteWeakened(key: string): void {
    this.#healed.delete(key);
  }

  lookAt(key: string): void {
    const { subject, witness } = this.#ports;
    const { facts } = witness;
    if (this.#healed.has(key) || !subject.isUp || facts.versionsOf(key, 'ACTIVE').length === 0) return;
    if (facts.policyOf(key)?.standbys === FULL_STRENGTH && subject.propagatedStandbys(key) >= FULL_STRENGTH)
      this.#healed.add(key);
  }

  async compromise({ what, retain }: Happening & { kind: 'compromise' }, key: string): Promise<void> {
    const { subject, witness, command } = this.#ports;
    const fallen = this.#versionsIn(what, key);
    const [first] = fallen;
    if (!subject.isUp || first === undefined) return;
    const mustGoOn = what === 'active' && this.#healed.has(key) && (await this.#canSign(key));
    for (const facts of fallen) witness.noteDeclared(facts);
    if (what === 'token') this.#healed.clear();
    this.#healed.delete(key);
    // In flight when the version falls: it must be made anew or refused.
    if (what === 'active')
      void subject.sign(key, undefined).then(
        (jwt) => witness.onJwt(jwt),
        () => undefined,
      );
    const isOne = what !== 'signing-key' && what !== 'token';
    const declared = subject.declareCompromised(
      what === 'token' ? undefined : key,
      isOne ? first.number : undefined,
      retain,
    );
    let refusal: string | undefined;
    command(
      'declare compromised',
      declared.then(
        () => {
          for (const facts of fallen) witness.noteCompromised(facts);
        },
        (thrown: unknown) => {
          refusal = (thrown as { reason?: string }).reason ?? String(thrown);
          throw thrown;
        },
      ),
    );
    await settle();
    this.#requireInEffect(fallen, refusal);
    if (!mustGoOn || !subject.isUp || !(refusal === undefined || refusal === 'STORE_UNAVAILABLE')) return;
    this.#ports.counts.add('compromiseChecks');
    if (await this.#canSign(key)) return;
    this.#ports.violate(
      'keeps-signing',
      `the compromise of version ${first.number} of ${key} stopped signing, although it had healed from the one before`,
    );
  }

  #requireInEffect(fallen: readonly VersionFacts[], refusal: string | undefined): void {
    const { witness, violate, subject } = this.#ports;
    if (!subject.isUp || !(refusal === undefined || refusal === 'STORE_UNAVAILABLE')) return;
    const published = fallen.find(({ kid }) => witness.isPublished(kid));
    if (published === undefined) return;
    violate(
      'compromised-dies-out',
      `version ${published.number} of ${published.key} is still published after the command that declares it compromised`,
    );
  }

  #versionsIn(what: (Happening & { kind: 'compromise' })['what'], key: string): readonly VersionFacts[] {
    const { facts } = this.#ports.witness;
    switch (what) {
      case 'active':
        // One, although an old copy in the place of the store may have made a second one ACTIVE, as far as facts tell.
        return facts.versionsOf(key, 'ACTIVE').slice(0, 1);
      case 'standby':
        return facts.versionsOf(key, 'PRE_ACTIVE').slice(-1);
      case 'old':
        return [...facts.versionsOf(key, 'SUSPENDED'), ...facts.versionsOf(key, 'DEACTIVATED')].slice(0, 1);
      case 'signing-key':
        return facts.livingOf(key);
      case 'token':
        return facts.livingOf(undefined);
    }
  }

  async #canSign(key: string): Promise<boolean> {
    const { subject, witness } = this.#ports;
    let isSigned = false;
    void subject.sign(key, undefined).then(
      (jwt) => {
        isSigned = true;
        witness.onJwt(jwt);
      },
      () => undefined,
    );
    await settle();
    return isSigned;
  }
}
