/**
 * The lifecycle's words: states, policies, promises. Types and limits only.
 */

/** NIST SP 800-57 Part 1, section 7. */
export const LIFECYCLE_STATES = [
  'PRE_ACTIVE',
  'ACTIVE',
  'SUSPENDED',
  'DEACTIVATED',
  'COMPROMISED',
  'DESTROYED',
] as const;
export type LifecycleState = (typeof LIFECYCLE_STATES)[number];

/** A boolean or numeric attribute as read back after generation; `unreadable` where the token doesn't tell it. */
export type AttributeReading = boolean | number | 'unreadable';

/** What the token said of a key right after its birth: kept for ever, shown by the API. */
export interface BirthRecord {
  readonly tokenSerial: string;
  readonly tokenLabel: string;
  readonly manufacturer: string;
  readonly model: string;
  readonly firmwareVersion: string;
  /** Read from the private key, by attribute name: CKA_SENSITIVE, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE, … */
  readonly attributes: Readonly<Record<string, AttributeReading>>;
}

/** When the versions of one signing key turn. Durations in ms. */
export interface LifecyclePolicy {
  /** How long a version signs before the next one is due. */
  readonly signingPeriodMs: number;
  /** The longest that a version may sign when no successor can be made. */
  readonly maxSigningPeriodMs: number;
  /** The longest lifetime of a JWT. */
  readonly maxJwtLifetimeMs: number;
  /** How long a rotation can be rolled back. */
  readonly rollbackWindowMs: number;
  /** Standbys kept published. */
  readonly standbys: 1 | 2;
  readonly addJti: boolean;
  /** Whether each JWT has an `nbf`. Absent in what was recorded before there was a choice: it has none. */
  readonly addNbf?: boolean | undefined;
}

/** What a key set promises its verifiers. Durations in ms. */
export interface KeySetPromise {
  /** What we send as Cache-Control: max-age. */
  readonly jwksMaxAgeMs: number;
  /** The longest that anyone may use an old copy of the key set. */
  readonly verifierCacheCeilingMs: number;
  /** The worst verifier clock and leeway together. */
  readonly verifierSkewMs: number;
  /** `assumed`: a cache without `Age` may double max-age, so the ceiling is at least 2 × max-age; `none`: at least 1 ×. */
  readonly sharedCaches: 'assumed' | 'none';
  /** Bounds the key set. */
  readonly maxPublishedVersions: number;
}
