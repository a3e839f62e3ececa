/** NO_ACTIVE_VERSION: why a signing key may sign with nothing, in words, and when that is expected to change. */
import { KeyturnError } from '../base/errors.ts';
import type { Surroundings } from '../lifecycle/activation.ts';
import { whenPropagated } from '../lifecycle/decide.ts';
import type { SigningKeyState } from '../lifecycle/signing-key-state.ts';

/** `isOver`: the ACTIVE version has signed for as long as it may. `problem`: what failed last, or empty. */
export function noActiveVersion(
  state: SigningKeyState,
  around: Surroundings,
  problem: string,
  isOver: boolean,
): KeyturnError {
  const subject = state.name;
  if (state.isHalted) {
    const message = `signing key ${subject} was halted by an operator; reactivate a version or rotate it`;
    return new KeyturnError('NO_ACTIVE_VERSION', message, { subject });
  }
  const { allowedAtMs, retryAfterMs } = whenPropagated(state, around, 1);
  const why = isOver
    ? 'its ACTIVE version has reached max_signing_period and no standby is propagated'
    : 'no version is ACTIVE yet: one is being made, or waits until every verifier must know it';
  const last = problem === '' ? '' : `; what failed last: ${problem}`;
  return new KeyturnError(
    'NO_ACTIVE_VERSION',
    `signing key ${subject} has no version that may sign: ${why}; expected from ${new Date(allowedAtMs).toISOString()}${last}`,
    { subject, rule: isOver ? 'rotation' : 'announce-before-use', allowedAtMs, retryAfterMs },
  );
}
