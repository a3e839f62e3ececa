/**
 * Lifecycle policies for the common kinds of JWT. JWTs of very different lifetimes belong to different signing keys: the
 * longest one decides how long old versions stay published.
 */
import type { PolicyInput } from './policy.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

export const PRESETS = {
  /** Short-lived, checked at every request: turn weekly, forget quickly. */
  'access-tokens': {
    signingPeriodMs: 7 * DAY_MS,
    maxSigningPeriodMs: 14 * DAY_MS,
    maxJwtLifetimeMs: 15 * MINUTE_MS,
    rollbackWindowMs: HOUR_MS,
    standbys: 2,
    addJti: true,
    addNbf: false,
  },
  /** Checked once, at sign-in. */
  'id-tokens': {
    signingPeriodMs: 30 * DAY_MS,
    maxSigningPeriodMs: 60 * DAY_MS,
    maxJwtLifetimeMs: HOUR_MS,
    rollbackWindowMs: DAY_MS,
    standbys: 2,
    addJti: true,
    addNbf: false,
  },
  /** A month of lifetime is a month in which old versions stay published: turn rarely, or the key set grows. */
  'refresh-tokens': {
    signingPeriodMs: 90 * DAY_MS,
    maxSigningPeriodMs: 180 * DAY_MS,
    maxJwtLifetimeMs: 30 * DAY_MS,
    rollbackWindowMs: 7 * DAY_MS,
    standbys: 2,
    addJti: true,
    addNbf: false,
  },
} as const satisfies Readonly<Record<string, Required<PolicyInput>>>;

export type PresetName = keyof typeof PRESETS;
export const PRESET_NAMES = Object.keys(PRESETS) as readonly PresetName[];
