/** A violation told in words, with virtual times: what the world was like, what happened, and what went wrong. */
import { formatDuration } from '../../src/base/duration.ts';
import type { LifecyclePolicy } from '../../src/lifecycle/model.ts';
import type { Happening, Scenario } from './scenario.ts';
import type { Outcome, TraceLine } from './world.ts';

/** Lines of what the subject did that a story shows, before its end. */
const MAX_LINES = 30;

const span = (ms: number): string => formatDuration(Math.max(0, Math.round(ms / 1_000) * 1_000));

function describePolicy(policy: LifecyclePolicy): string {
  const { signingPeriodMs, maxSigningPeriodMs, maxJwtLifetimeMs, rollbackWindowMs, standbys } = policy;
  return `signing period ${span(signingPeriodMs)} (at most ${span(maxSigningPeriodMs)}), JWTs live up to ${span(maxJwtLifetimeMs)}, rollback window ${span(rollbackWindowMs)}, ${standbys} standby${standbys === 1 ? '' : 's'}`;
}

export function describeHappening(happening: Happening, { keys }: Scenario): string {
  switch (happening.kind) {
    case 'rotate':
      return `an operator rotates ${keys[happening.key]?.name}${happening.useLastStandby ? ' with use_last_standby' : ''}`;
    case 'policy':
      return `an operator changes the policy of ${keys[happening.key]?.name}: ${describePolicy(happening.policy)}`;
    case 'suspend':
      return `an operator suspends ${keys[happening.key]?.name}${happening.halt ? ' with halt' : ''}, to reactivate it after ${span(happening.reactivateAfterMs)}`;
    case 'rollback':
      return `an operator rolls ${keys[happening.key]?.name} back`;
    case 'retire': {
      const { unretireAfterMs } = happening;
      const back = unretireAfterMs === undefined ? 'for good' : `to bring it back after ${span(unretireAfterMs)}`;
      return `an operator retires ${keys[happening.key]?.name}, ${back}`;
    }
    case 'schedule':
      return happening.afterMs === undefined
        ? `an operator takes back the scheduled rotation of ${keys[happening.key]?.name}`
        : `an operator schedules a rotation of ${keys[happening.key]?.name} in ${span(happening.afterMs)}`;
    case 'compromise':
      return `an operator declares compromised: ${describeScope(happening, keys[happening.key]?.name ?? '')}`;
    case 'reboot':
      return `the machine goes down for ${span(happening.downMs)} and comes back with its clock ${happening.toOffsetMs} ms off`;
    case 'crash':
      return `the daemon will crash at crash point ${happening.afterPoints} from here and stay down for ${span(happening.downMs)}`;
    case 'stop': {
      const { promise, downMs } = happening;
      const changed =
        promise === undefined
          ? ''
          : `; from then on the ceiling is ${span(promise.verifierCacheCeilingMs)} and max-age ${span(promise.jwksMaxAgeMs)}`;
      return `the daemon is stopped for ${span(downMs)}${changed}`;
    }
    case 'clock-step':
      return `the daemon's wall clock is stepped to ${happening.toOffsetMs} ms from true time${happening.untilRightMs === undefined ? '' : `, and set right after ${span(happening.untilRightMs)}`}`;
    case 'old-store':
      return `the daemon is ended, and a copy of its store that is ${span(happening.copiedBeforeMs)} old put in the place of the present one`;
    case 'token-outage':
      return `the token is unavailable for ${span(happening.forMs)}`;
    case 'no-new-keys':
      return `the token makes no keys for ${span(happening.forMs)}`;
    case 'disk-full':
      return `the disk ${happening.isReserveGone ? 'takes nothing' : 'is full'} for ${span(happening.forMs)}`;
    case 'http-outage':
      return `HTTP does not answer for ${span(happening.forMs)}`;
  }
}

function describeScope({ what }: Happening & { kind: 'compromise' }, key: string): string {
  switch (what) {
    case 'active':
      return `the ACTIVE version of ${key}`;
    case 'standby':
      return `a standby of ${key}`;
    case 'old':
      return `a version of ${key} that signed before`;
    case 'signing-key':
      return `${key} as a whole`;
    case 'token':
      return 'the whole token';
  }
}

export function tellStory({ scenario, violation, trace }: Outcome): string {
  const { seed, startMs, promise, keys, clockStepLimitMs, happenings } = scenario;
  const at = (ms: number): string => `+${span(ms - startMs)}`.padEnd(18);
  const key = keys.find(({ name }) => violation?.words.includes(name))?.name;
  const isToBeTold = ({ words }: TraceLine): boolean =>
    key === undefined || !/key-\d/.test(words) || words.includes(key);
  const told = trace.filter(isToBeTold);
  const shown = told.slice(-MAX_LINES);
  return [
    `Counter-example (seed ${seed}, ${happenings.length} happenings left after shrinking):`,
    `  The key set promises max-age ${span(promise.jwksMaxAgeMs)}, a ceiling of ${span(promise.verifierCacheCeilingMs)} and a skew of ${span(promise.verifierSkewMs)}; clock steps up to ${span(clockStepLimitMs)} are allowed for.`,
    ...keys.map(({ name, policy }) => `  ${name}: ${describePolicy(policy)}.`),
    ...(shown.length < told.length ? [`  … ${told.length - shown.length} lines before these …`] : []),
    ...shown.map(({ atMs, words }) => `  ${at(atMs)} ${words}`),
    ...(violation === undefined
      ? []
      : [`  ${at(violation.atMs)} VIOLATION (${violation.invariant}): ${violation.words}.`]),
  ].join('\n');
}
