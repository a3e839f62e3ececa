/**
 * A rotation at a time that an operator names: it takes the place of the one at the end of the signing period, earlier
 * or later, and obeys the same rules when its time has come. Pure, as decide.ts.
 */
import { formatDuration } from '../base/duration.ts';
import { KeyturnError } from '../base/errors.ts';
import { type Command, requireInService, requireTrustedClock, type Surroundings } from './activation.ts';
import type { SigningKeyEvent } from './events.ts';
import type { SigningKeyState } from './signing-key-state.ts';
import { activeVersion, signingEndsMs } from './rules.ts';

const FIELD = 'rotate_time';

export interface ScheduleCommand extends Command {
  /** Unix ms; undefined takes back what was scheduled. */
  readonly dueMs: number | undefined;
}

/** No events when nothing differs. Errors: SIGNING_KEY_RETIRED, CLOCK_UNTRUSTED, NO_ACTIVE_VERSION, FIELD_INVALID. */
export function decideSchedule(
  state: SigningKeyState,
  { dueMs, caller, reason }: ScheduleCommand,
  around: Surroundings,
): readonly SigningKeyEvent[] {
  const { nowMs: atMs } = around;
  requireInService(state);
  if (dueMs === state.scheduledRotation?.dueMs) return [];
  if (dueMs === undefined) return [{ type: 'ROTATION_UNSCHEDULED', atMs, caller, reason }];
  requireTrustedClock(around);
  requireInTime(state, dueMs, atMs);
  return [{ type: 'ROTATION_SCHEDULED', atMs, dueMs, caller, reason }];
}

function requireInTime(state: SigningKeyState, dueMs: number, nowMs: number): void {
  const { name: subject, policy } = state;
  const active = activeVersion(state);
  if (active === undefined) {
    const message = `signing key ${subject} has no ACTIVE version whose rotation could be scheduled`;
    throw new KeyturnError('NO_ACTIVE_VERSION', message, { subject });
  }
  if (dueMs <= nowMs)
    throw new KeyturnError('FIELD_INVALID', `${FIELD} must be in the future; to rotate now, leave it out`, {
      subject,
      field: FIELD,
    });
  const endsMs = signingEndsMs(state, active);
  if (dueMs <= endsMs) return;
  throw new KeyturnError(
    'FIELD_INVALID',
    `${FIELD} must not be later than ${new Date(endsMs).toISOString()}: version ${active.number} signs for ${formatDuration(policy.maxSigningPeriodMs)} at most (max_signing_period)`,
    { subject, field: FIELD, rule: 'rotation' },
  );
}
