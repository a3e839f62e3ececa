/**
 * Verify-only public keys of an old signer (rule 10): imported with an expiry and a proof of possession, published beside
 * the key set's versions, and withdrawn by command or at the expiry. What was imported once is remembered for ever. Pure.
 */
import { assertNever } from '../base/assert-never.ts';
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import type { CallerName, Kid } from '../base/ids.ts';
import type { Algorithm } from '../jose/algorithms.ts';
import type { PublicKeyMembers } from '../jose/jwk.ts';
import { type Command, requireTrustedClock, type Surroundings } from './activation.ts';
import { requireCompanions } from './companions.ts';
import type { ImportEvent } from './events.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import type { KeySetState } from './fold-key-set.ts';
import { everyVersion } from './versions.ts';
import { impliedTogether } from './policy.ts';
import { pendingVersions } from './step-events.ts';

/** Longer than any JWT of an old signer should live: what is wanted for longer belongs into the token. */
export const MAX_IMPORT_MS = 400 * 86_400_000;

export type Departure = 'removed' | 'compromised' | 'expired';

export interface ImportedKey {
  readonly kid: Kid;
  /** RFC 7638: the key itself, whatever it is called. */
  readonly thumbprint: Kid;
  readonly algorithm: Algorithm;
  readonly publicKey: PublicKeyMembers;
  readonly importedAtMs: number;
  readonly expiresAtMs: number;
  /** The latest import or extension. */
  readonly caller: CallerName;
  readonly reason: string;
  /** `KeySetState.upMs` when it was imported. */
  readonly importedAtUpMs: number;
  /** Undefined as long as it is published. */
  readonly departure?: { readonly atMs: number; readonly cause: Departure };
}

/** The part of a key set's state that is about imports. */
export interface Imports {
  /** Oldest first, those that left included. */
  readonly imports: readonly ImportedKey[];
  /** The daemon's up-time in ms of monotonic time, over all its runs. */
  readonly upMs: number;
}

export const NO_IMPORTS: Imports = { imports: [], upMs: 0 };

/** Undefined when the event can't follow what was before: the log is damaged. */
export function evolveImports(state: Imports, event: ImportEvent): Imports | undefined {
  const { imports, upMs } = state;
  if (event.type === 'UP_TIME_RECORDED') return { imports, upMs: Math.max(upMs, event.upMs) };
  const index = imports.findIndex(({ kid }) => kid === event.kid);
  const before = imports[index];
  if (event.type === 'PUBLIC_KEY_IMPORTED') {
    if (before !== undefined) return undefined;
    const { kid, thumbprint, algorithm, publicKey, expiresAtMs, caller, reason, atMs } = event;
    const key = { kid, thumbprint, algorithm, publicKey, expiresAtMs, caller, reason };
    return { imports: [...imports, { ...key, importedAtMs: atMs, importedAtUpMs: upMs }], upMs };
  }
  if (before === undefined || before.departure !== undefined) return undefined;
  return { imports: imports.with(index, { ...before, ...changeOf(event) }), upMs };
}

function changeOf(
  event: Exclude<ImportEvent, { type: 'PUBLIC_KEY_IMPORTED' | 'UP_TIME_RECORDED' }>,
): Partial<ImportedKey> {
  const { atMs } = event;
  switch (event.type) {
    case 'IMPORT_EXTENDED':
      return { expiresAtMs: event.expiresAtMs, caller: event.caller, reason: event.reason };
    case 'PUBLIC_KEY_REMOVED':
      return { departure: { atMs, cause: event.compromised ? 'compromised' : 'removed' } };
    case 'PUBLIC_KEY_EXPIRED':
      return { departure: { atMs, cause: 'expired' } };
    default:
      return assertNever(event);
  }
}

export function publishedImports({ imports }: Pick<Imports, 'imports'>): readonly ImportedKey[] {
  return imports.filter(({ departure }) => departure === undefined);
}

/** What an import is held against: everything that has or ever had a kid, and what its own key set publishes. */
export interface Known {
  readonly signingKeys: readonly SigningKeyState[];
  readonly keySets: readonly KeySetState[];
}

export interface ImportCommand extends Command {
  readonly kid: Kid;
  readonly thumbprint: Kid;
  readonly algorithm: Algorithm;
  readonly publicKey: PublicKeyMembers;
  readonly expiresAtMs: number;
  readonly proof: string;
}

/**
 * Publishes the key, or lets an import of the same key last longer; no events when nothing differs. The proof was
 * verified before. Errors: CLOCK_UNTRUSTED, FIELD_INVALID, PUBLIC_KEY_KNOWN, KEY_SET_FULL.
 */
export function decideImport(command: ImportCommand, around: Surroundings, known: Known): readonly ImportEvent[] {
  requireTrustedClock(around);
  const { nowMs: atMs, keySet } = around;
  const { kid, expiresAtMs, proof, caller, reason } = command;
  requireBoundedExpiry(expiresAtMs, atMs);
  const before = publishedImports(keySet).find((key) => isSame(key, command));
  if (before !== undefined) {
    if (expiresAtMs === before.expiresAtMs) return [];
    if (expiresAtMs < before.expiresAtMs) throw refuseShorter(before);
    return [{ type: 'IMPORT_EXTENDED', atMs, kid, expiresAtMs, proof, caller, reason }];
  }
  const { thumbprint, algorithm, publicKey } = command;
  const own = known.signingKeys.filter((state) => state.keySet === keySet.name);
  requireUnknown(command, known);
  requireCompanions(algorithm, keySet, { signingKeys: own, field: 'key_set' });
  requireRoom(around, own);
  const key = { kid, thumbprint, algorithm, publicKey, expiresAtMs, proof };
  return [{ type: 'PUBLIC_KEY_IMPORTED', atMs, ...key, caller, reason }];
}

function isSame(left: ImportedKey, right: ImportCommand): boolean {
  return left.kid === right.kid && left.thumbprint === right.thumbprint && left.algorithm === right.algorithm;
}

function requireBoundedExpiry(expiresAtMs: number, nowMs: number): void {
  if (expiresAtMs > nowMs && expiresAtMs <= nowMs + MAX_IMPORT_MS) return;
  throw new KeyturnError(
    'FIELD_INVALID',
    `expire_time must lie ahead, by at most ${formatDuration(MAX_IMPORT_MS)}, and it is ${new Date(expiresAtMs).toISOString()}`,
    { field: 'expire_time' },
  );
}

function refuseShorter({ kid, expiresAtMs }: ImportedKey): KeyturnError {
  return new KeyturnError(
    'COMMAND_NOT_POSSIBLE',
    `the imported key ${kid} stays until ${new Date(expiresAtMs).toISOString()}, and another import can only let it stay longer; to end it earlier, remove it`,
    { field: 'expire_time', subject: kid },
  );
}

/** A kid never means two keys, and a key that was withdrawn never comes back under another name. */
function requireUnknown({ kid, thumbprint }: ImportCommand, { signingKeys, keySets }: Known): void {
  const refuse = (what: string, field: string): KeyturnError =>
    new KeyturnError('PUBLIC_KEY_KNOWN', `${what}; what was in a key set once is never imported again`, {
      field,
      subject: kid,
    });
  for (const state of signingKeys) {
    for (const version of everyVersion(state)) {
      if (version.kid !== kid && version.kid !== thumbprint) continue;
      throw refuse(`the key is version ${version.number} of signing key ${state.name}`, 'jwk');
    }
  }
  for (const { name, imports } of keySets) {
    const called = imports.find((candidate) => candidate.kid === kid);
    if (called !== undefined)
      throw refuse(`key set ${name} ${hasOrHad(called)} an imported key of this kid`, 'jwk.kid');
    const same = imports.find((candidate) => candidate.thumbprint === thumbprint);
    if (same !== undefined) throw refuse(`key set ${name} ${hasOrHad(same)} this key, as kid ${same.kid}`, 'jwk');
  }
}

function hasOrHad({ departure }: ImportedKey): string {
  return departure === undefined ? 'has' : 'had';
}

/** Rule 11: what the key set's policies imply, and what it holds and is being made for it, beside one more. */
function requireRoom({ keySet, clockStepLimitMs }: Surroundings, own: readonly SigningKeyState[]): void {
  const { name, promise, kids } = keySet;
  const implied = impliedTogether(own, promise, clockStepLimitMs);
  const imported = publishedImports(keySet).length;
  const sum = Math.max(implied + imported, kids.length + pendingVersions(own)) + 1;
  if (sum <= promise.maxPublishedVersions) return;
  throw new KeyturnError(
    'KEY_SET_FULL',
    `key set ${name} may publish ${promise.maxPublishedVersions} keys at once, and with this one it would be ${sum}: its signing keys imply ${implied}, it holds ${kids.length}, ${imported} of them imported; remove an import that is no longer needed, or raise maxPublishedVersions`,
    { rule: 'bounded-key-set', subject: name },
  );
}

export interface RemovalCommand extends Command {
  readonly kid: Kid;
  readonly compromised: boolean;
}

export function requireImport({ name, imports }: KeySetState, kid: Kid): ImportedKey {
  const found = imports.find((candidate) => candidate.kid === kid);
  if (found !== undefined) return found;
  throw new KeyturnError(
    'IMPORTED_KEY_NOT_FOUND',
    `key set ${name} never had an imported key of kid ${kid}; list its imported keys`,
    { field: 'kid', subject: kid },
  );
}

/** Takes it out of the key set, for good. Removing what has left already changes nothing. Errors: IMPORTED_KEY_NOT_FOUND. */
export function decideRemoval(
  { kid, compromised, caller, reason }: RemovalCommand,
  { keySet, nowMs: atMs }: Surroundings,
): readonly ImportEvent[] {
  if (requireImport(keySet, kid).departure !== undefined) return [];
  return [{ type: 'PUBLIC_KEY_REMOVED', atMs, kid, compromised, caller, reason }];
}

export interface ImportPlan {
  /** Their time is over. */
  readonly expired: readonly Kid[];
  /** Ms until the next one's; undefined when none waits. */
  readonly lookAgainMs: number | undefined;
}

/**
 * An import leaves when its time is over by the wall clock, and the daemon has been up for as long as it was meant to
 * stay: what is final never rests on the wall clock alone (rules 3 and 8). Downtime lets it stay longer, never shorter.
 */
export function planImports(keySet: KeySetState, { nowMs, isClockTrusted }: Surroundings): ImportPlan {
  const waits = publishedImports(keySet).map((key) => ({ kid: key.kid, waitMs: untilExpiryMs(key, keySet, nowMs) }));
  const expired = isClockTrusted ? waits.filter(({ waitMs }) => waitMs <= 0).map(({ kid }) => kid) : [];
  const later = waits.filter(({ waitMs }) => waitMs > 0).map(({ waitMs }) => waitMs);
  return { expired, lookAgainMs: later.length === 0 ? undefined : Math.min(...later) };
}

function untilExpiryMs(key: ImportedKey, { upMs }: KeySetState, nowMs: number): number {
  return Math.max(key.expiresAtMs - nowMs, key.expiresAtMs - key.importedAtMs - (upMs - key.importedAtUpMs));
}

export function toExpiry(keySet: KeySetState, around: Surroundings): readonly ImportEvent[] {
  return planImports(keySet, around).expired.map((kid) => ({ type: 'PUBLIC_KEY_EXPIRED', atMs: around.nowMs, kid }));
}
