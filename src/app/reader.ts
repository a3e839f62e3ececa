/** What the application shows of signing keys and versions: each as it stands now, meters and problems included. */
import { KeyturnError } from '../base/errors.ts';
import type { SigningKeyName } from '../base/ids.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';
import { activeVersion } from '../lifecycle/rules.ts';
import { findVersion } from '../lifecycle/versions.ts';
import type { KeyVersionView, Page, SigningKeyView } from './application.ts';
import type { ClockGuard } from './clock-guard.ts';
import type { Fences } from './fences.ts';
import type { Ledger } from './ledger.ts';
import type { Meters } from './meters.ts';
import { toNumberedPage, toPage } from './page.ts';
import type { Rotator } from './rotator.ts';
import { toKeyVersionView, toSigningKeyView } from './views.ts';

export interface ReaderPorts {
  readonly ledger: Ledger;
  readonly meters: Meters;
  readonly rotator: Rotator;
  readonly fences: Fences;
  readonly clockGuard: ClockGuard;
  /** Why the signing key isn't ready although it may sign; empty when it is. */
  readonly canaryProblem: (name: SigningKeyName) => string;
  /** Whether store and token have been compared in this run. */
  readonly hasCompared: () => boolean;
  readonly surroundingsOf: (state: SigningKeyState) => Surroundings;
}

export class Reader {
  readonly #ports: ReaderPorts;

  constructor(ports: ReaderPorts) {
    this.#ports = ports;
  }

  listSigningKeys(pageSize: number, pageToken: string): Page<SigningKeyView> {
    const names = [...this.#ports.ledger.signingKeys.keys()].toSorted();
    const page = toPage(names, (name) => name, pageSize, pageToken);
    return { ...page, items: page.items.map((name) => this.view(name)) };
  }

  listKeyVersions(signingKey: SigningKeyName, pageSize: number, pageToken: string): Page<KeyVersionView> {
    const state = this.observed(signingKey);
    const around = this.#ports.surroundingsOf(state);
    const page = toNumberedPage(state.nextVersion - 1, (number) => findVersion(state, number), { pageSize, pageToken });
    return { ...page, items: page.items.map((version) => toKeyVersionView(state, version, around)) };
  }

  /** With its meters as they stand. Errors: SIGNING_KEY_NOT_FOUND. */
  observed(name: SigningKeyName): SigningKeyState {
    const { meters, ledger } = this.#ports;
    return meters.observe(ledger.requireSigningKey(name)).state;
  }

  /** Errors: SIGNING_KEY_NOT_FOUND. */
  view(name: SigningKeyName): SigningKeyView {
    return this.toView(this.#ports.ledger.requireSigningKey(name));
  }

  /** `recorded`: as it is, or as it would be when only validated. */
  toView(recorded: SigningKeyState): SigningKeyView {
    const { meters, rotator, fences, clockGuard, canaryProblem, hasCompared, surroundingsOf } = this.#ports;
    const { state } = meters.observe(recorded);
    const { name } = state;
    return toSigningKeyView(state, surroundingsOf(state), {
      isReconciling:
        (activeVersion(state) === undefined && state.retirement === undefined) ||
        !hasCompared() ||
        rotator.isReconciling(name),
      lastProblem: fences.isFenced(name)
        ? fences.problemOf(name)
        : clockGuard.problem || canaryProblem(name) || rotator.lastProblem(name),
      failingSteps: rotator.failingSteps(name),
      isFenced: fences.isFenced(name),
    });
  }

  versionView(name: SigningKeyName, number: number): KeyVersionView {
    const state = this.observed(name);
    const version = findVersion(state, number);
    if (version === undefined)
      throw new KeyturnError('INTERNAL', `version ${number} of signing key ${name} is missing from its own log`);
    return toKeyVersionView(state, version, this.#ports.surroundingsOf(state));
  }
}
