/**
 * The use cases around verify-only public keys (rule 10): import, removal, list, and the end of their time. Decisions are
 * lifecycle/imports.ts's; no token has a part in this.
 */
import type { Clock } from '../base/clock.ts';
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type CallerName, DEFAULT_KEY_SET, type KeySetName, parseKeySetName, parsePublishedKid } from '../base/ids.ts';
import type { Logger } from '../base/logger.ts';
import { parseImportedJwk } from '../jose/imported-jwk.ts';
import { requirePossession } from '../jose/possession-proof.ts';
import { requireTrustedClock, type Surroundings } from '../lifecycle/activation.ts';
import type { ImportEvent } from '../lifecycle/events.ts';
import { evolveKeySet, type KeySetState } from '../lifecycle/fold-key-set.ts';
import {
  decideImport,
  decideRemoval,
  type ImportedKey,
  planImports,
  publishedImports,
  requireImport,
  toExpiry,
} from '../lifecycle/imports.ts';
import { parseReason } from './administer.ts';
import type {
  ImportedKeyView,
  ImportOutcome,
  ImportPublicKeyCommand,
  ImportSummary,
  Page,
  RemovePublicKeyCommand,
} from './application.ts';
import type { Fences } from './fences.ts';
import type { Change } from './folded-log.ts';
import type { Ledger } from './ledger.ts';
import { narrowing } from './narrowing.ts';
import { toPage } from './page.ts';
import { isUpTimeDue, UpTime } from './up-time.ts';

export interface ImportsPorts {
  readonly ledger: Ledger;
  readonly clock: Clock;
  readonly log: Logger;
  readonly fences: Pick<Fences, 'requireImportable' | 'isKeySetWithheld'>;
  readonly surroundingsIn: (keySet: KeySetName) => Surroundings;
}

/** How an import that was approved differs from one that comes by itself. */
interface ApprovedImport {
  /** The proof was fresh then; undefined: it must be now. */
  readonly provenAtMs?: number | undefined;
  readonly check?: CheckOutcome;
}

/** May refuse what would become of the key, before it does. */
type CheckOutcome = (outcome: ImportOutcome) => void;

type Decide = (around: Surroundings) => readonly ImportEvent[];

export class Imports {
  readonly #ports: ImportsPorts;
  readonly #upTime: UpTime;

  constructor(ports: ImportsPorts) {
    this.#ports = ports;
    this.#upTime = new UpTime(ports.clock);
  }

  async importPublicKey(
    caller: CallerName,
    command: ImportPublicKeyCommand,
    { provenAtMs, check }: ApprovedImport = {},
  ): Promise<ImportOutcome> {
    const { ledger } = this.#ports;
    const { proof, expiresAtMs } = command;
    const keySet = this.#requireKeySet(command.keySet);
    const reason = requireReason(command.reason, 'who publishes a key may forge with it');
    const around = this.#ports.surroundingsIn(keySet);
    // A proof's age is judged by this clock.
    requireTrustedClock(around);
    const jwk = parseImportedJwk(command.jwk);
    requirePossession(proof, jwk, keySet, provenAtMs ?? around.nowMs);
    const { kid, thumbprint, algorithm, publicKey } = jwk;
    const wish = { kid, thumbprint, algorithm, publicKey, expiresAtMs, proof, caller, reason };
    const decide: Decide = (now) => {
      this.#ports.fences.requireImportable(keySet);
      const known = { signingKeys: [...ledger.signingKeys.values()], keySets: [...ledger.keySets.values()] };
      return decideImport(wish, now, known);
    };
    const preview = this.#preview(keySet, decide);
    if (command.validateOnly) return { importedKey: this.#toView(preview.state, kid), changed: preview.changed };
    let changed = false;
    await ledger.transact(() => {
      const now = this.#preview(keySet, decide);
      check?.({ importedKey: this.#toView(now.state, kid), changed: now.changed });
      const changes = this.#decideChanges(keySet, decide);
      changed = changes.length > 0;
      return changes;
    });
    return { importedKey: this.#toView(ledger.requireKeySet(keySet), kid), changed };
  }

  async removePublicKey(
    caller: CallerName,
    command: RemovePublicKeyCommand,
    check?: CheckOutcome,
  ): Promise<ImportOutcome> {
    const { ledger, log } = this.#ports;
    const keySet = this.#requireKeySet(command.keySet);
    const kid = parsePublishedKid(command.kid);
    const reason = requireReason(command.reason, 'the removal is final');
    const { compromised } = command;
    const decide: Decide = (now) => decideRemoval({ kid, compromised, caller, reason }, now);
    const { state, changed } = this.#preview(keySet, decide);
    check?.({ importedKey: this.#toView(state, kid), changed });
    if (!command.validateOnly && changed)
      await narrowing(log, () =>
        ledger.narrow({
          key: `remove-public-key ${kid} ${String(compromised)}`,
          kids: [kid],
          withholding: 'everything',
          decide: () => this.#decideChanges(keySet, decide),
        }),
      );
    return { importedKey: this.#toView(command.validateOnly ? state : ledger.requireKeySet(keySet), kid), changed };
  }

  listPublicKeys(keySetText: string, pageSize: number, pageToken: string): Page<ImportedKeyView> {
    const state = this.#ports.ledger.requireKeySet(this.#requireKeySet(keySetText));
    const page = toPage(state.imports.toReversed(), ({ kid }) => kid, pageSize, pageToken);
    return { ...page, items: page.items.map(({ kid }) => this.#toView(state, kid)) };
  }

  summarize(keySetText: string): ImportSummary | undefined {
    const known = [...this.#ports.ledger.keySets.values()].find(({ name }) => name === keySetText);
    if (known === undefined) return undefined;
    const around = this.#around(known.name);
    const { expired, lookAgainMs } = planImports(around.keySet, around);
    return {
      importedKeys: publishedImports(known).length,
      nextExpiryInMs: expired.length > 0 ? 0 : lookAgainMs,
    };
  }

  /** Withdraws what is over, and records up-time. Returns how long nothing will be due; never rejects. */
  async tick(): Promise<number> {
    let waitMs = Number.POSITIVE_INFINITY;
    for (const recorded of this.#ports.ledger.keySets.values()) {
      const { name } = recorded;
      if (publishedImports(recorded).length === 0) continue;
      try {
        waitMs = Math.min(waitMs, await this.#visit(name));
      } catch (thrown) {
        this.#ports.log.warn({ keySet: name, err: toKeyturnError(thrown) }, 'imported keys could not be looked after');
      }
    }
    return waitMs;
  }

  /** So that a restart goes on from there. */
  async recordUpTime(): Promise<void> {
    for (const recorded of this.#ports.ledger.keySets.values()) {
      if (publishedImports(recorded).length === 0) continue;
      try {
        await this.#record(recorded.name);
      } catch (thrown) {
        this.#ports.log.warn({ keySet: recorded.name, err: toKeyturnError(thrown) }, 'up-time could not be recorded');
      }
    }
  }

  async #visit(keySet: KeySetName): Promise<number> {
    const { ledger, log, fences } = this.#ports;
    const recorded = ledger.requireKeySet(keySet);
    // A restored store may have forgotten that an import was let stay longer (rule 9), and its end is final.
    if (fences.isKeySetWithheld(keySet)) return Number.POSITIVE_INFINITY;
    const around = this.#around(keySet);
    const { expired, lookAgainMs } = planImports(around.keySet, around);
    if (expired.length > 0) {
      await ledger.transact(() => this.#decideChanges(keySet, (now) => toExpiry(now.keySet, now)));
      log.info({ keySet, kids: expired }, 'imported keys left the key set: their time is over');
    } else if (isUpTimeDue(recorded, around.keySet)) {
      await this.#record(keySet);
    }
    return lookAgainMs ?? Number.POSITIVE_INFINITY;
  }

  #record(keySet: KeySetName): Promise<void> {
    const { ledger } = this.#ports;
    return ledger.transact(() => {
      const { events } = this.#upTime.observe(ledger.requireKeySet(keySet));
      return [{ to: 'keySet', name: keySet, events }];
    });
  }

  #requireKeySet(text: string): KeySetName {
    return this.#ports.ledger.requireKeySet(text === '' ? DEFAULT_KEY_SET : parseKeySetName(text)).name;
  }

  #around(keySet: KeySetName): Surroundings {
    const { state } = this.#upTime.observe(this.#ports.ledger.requireKeySet(keySet));
    return { ...this.#ports.surroundingsIn(keySet), keySet: state };
  }

  #preview(keySet: KeySetName, decide: Decide): { readonly state: KeySetState; readonly changed: boolean } {
    const around = this.#around(keySet);
    const events = decide(around);
    return { state: events.reduce<KeySetState>(evolveKeySet, around.keySet), changed: events.length > 0 };
  }

  /** Decides on the key set with its up-time as it stands, and puts that in front: an import's time begins there. */
  #decideChanges(keySet: KeySetName, decide: Decide): readonly Change[] {
    const { state, events: upTime } = this.#upTime.observe(this.#ports.ledger.requireKeySet(keySet));
    const events = decide({ ...this.#ports.surroundingsIn(keySet), keySet: state });
    return events.length === 0 ? [] : [{ to: 'keySet', name: keySet, events: [...upTime, ...events] }];
  }

  #toView(keySet: KeySetState, kid: ImportedKey['kid']): ImportedKeyView {
    const { algorithm, thumbprint, importedAtMs, expiresAtMs, caller, reason, departure } = requireImport(keySet, kid);
    return {
      keySet: keySet.name,
      kid,
      algorithm,
      thumbprint,
      isPublished: departure === undefined && !this.#ports.ledger.withheld.has(kid),
      importedAtMs,
      expiresAtMs,
      caller,
      reason,
      departure,
    };
  }
}

function requireReason(text: string, why: string): string {
  const reason = parseReason(text);
  if (reason.trim() !== '') return reason;
  throw new KeyturnError('FIELD_INVALID', `reason must say why: ${why}`, { field: 'reason' });
}
