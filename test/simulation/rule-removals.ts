/**
 * Keyturn with one of its rules taken out, for the test that the simulation notices. Each removal is a textual patch of
 * a copy of src: production code has no switch for it, and a patch that no longer applies fails.
 */
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Invariant } from './witness.ts';
import {
  type Focus,
  forgottenHalts,
  oldStores,
  quickRotations,
  raisedCeilings,
  silentBeginnings,
  slowVerifiers,
} from './focus.ts';

interface Patch {
  readonly file: string;
  /** Stands there exactly once. */
  readonly from: string;
  readonly to: string;
}

interface RuleRemoval {
  readonly name: string;
  /** What is left of keyturn without it. */
  readonly means: string;
  /** The invariant whose violation the simulation finds, or one of these. */
  readonly breaks: Invariant | readonly Invariant[];
  readonly patches: readonly Patch[];
  /** Where all worlds together notice it too late for a quick check. */
  readonly focus?: Focus;
}

const RULES = 'lifecycle/rules.ts';

export const RULE_REMOVALS: readonly RuleRemoval[] = [
  {
    name: 'announce',
    means: 'what is published counts as propagated',
    breaks: 'verifiable',
    patches: [
      { file: RULES, from: 'version.isFirstGeneration || version.servedMs >= requiredServedMs(keySet)', to: 'true' },
    ],
  },
  {
    name: 'served-time',
    means: 'the time since a version was made counts, by the wall clock',
    breaks: 'verifiable',
    patches: [
      {
        file: 'app/meters.ts',
        from: '(this.#servedBase.get(kid) ?? version.servedMs) + Math.floor((this.#served.get(kid) ?? 0) + stretchMs)',
        to: 'this.#clock.wallMs() - version.madeAtMs + 0 * stretchMs',
      },
    ],
  },
  {
    name: 'two-standbys',
    means: 'a rotation takes the only propagated standby',
    breaks: 'keeps-signing',
    focus: quickRotations,
    patches: [
      { file: 'lifecycle/decide.ts', from: 'ready.length < state.policy.standbys && !useLastStandby', to: 'false' },
      { file: 'lifecycle/plan.ts', from: 'ready >= state.policy.standbys) due', to: 'ready >= 1) due' },
    ],
  },
  {
    name: 'earlier-ceiling',
    means: 'a lowered ceiling holds for copies that were promised a longer life',
    breaks: 'verifiable',
    patches: [
      { file: RULES, from: 'longestMs = Math.max(longestMs, ceilingMs);', to: 'Math.max(longestMs, ceilingMs);' },
    ],
  },
  {
    name: 'raised-ceiling',
    means: 'a version that was propagated once stays so when the ceiling is raised',
    breaks: 'verifiable',
    focus: raisedCeilings,
    patches: [
      {
        file: RULES,
        from: 'version.isFirstGeneration || version.servedMs',
        to: 'version.isFirstGeneration || version.propagatedAtMs !== undefined || version.servedMs',
      },
    ],
  },
  {
    name: 'cache-without-age',
    means: 'the ceiling need not be twice max-age where shared caches are assumed',
    // A cache that keeps a copy for too long lacks new keys and has withdrawn ones: whatever a world meets first.
    breaks: ['verifiable', 'compromised-dies-out'],
    patches: [{ file: 'config/config-schema.ts', from: 'assumed: 2, none: 1', to: 'assumed: 1, none: 1' }],
  },
  {
    name: 'first-generation',
    means: 'the first version of any signing key counts as propagated at birth',
    breaks: 'verifiable',
    patches: [{ file: RULES, from: '(version.isFirstGeneration ||', to: '(version.number === 1 ||' }],
  },
  {
    name: 'served-first',
    means: 'JWTs leave before HTTP has answered with the first generation',
    breaks: 'verifiable',
    focus: silentBeginnings,
    patches: [{ file: 'app/meters.ts', from: 'return this.#answered.has(kid);', to: 'return kid.length > 0;' }],
  },
  {
    name: 'fence',
    means: 'a store that is older than the token is believed',
    breaks: 'compromised-dies-out',
    focus: oldStores,
    patches: [
      { file: 'app/fences.ts', from: 'if (fence !== undefined) fences.set(name, fence);', to: 'fences.delete(name);' },
    ],
  },
  {
    name: 'unmask',
    means: 'a store that is older than the audit log is believed',
    breaks: 'operator-decides',
    focus: forgottenHalts,
    patches: [
      {
        file: 'app/audited-store.ts',
        from: 'if (known <= this.#count) {',
        to: 'if (known <= this.#count || known > 0) {',
      },
    ],
  },
  {
    name: 'keep',
    means: 'what stopped signing leaves the key set at once',
    breaks: 'verifiable',
    patches: [
      {
        file: RULES,
        from: 'nowMs >= withdrawalDueMs(version, keySet, clockStepLimitMs) && version.quietMs >= (version.keepMs ?? 0)',
        to: 'nowMs >= 0 || withdrawalDueMs(version, keySet, clockStepLimitMs) >= 0',
      },
    ],
  },
  {
    name: 'keep-skew',
    means: 'verifiers that are slow or lenient are not waited for, nor a stepped clock',
    breaks: 'verifiable',
    focus: slowVerifiers,
    patches: [
      {
        file: RULES,
        from: '(version.expCeilingMs ?? 0) + keySet.promise.verifierSkewMs + clockStepLimitMs',
        to: '(version.expCeilingMs ?? 0) + 0 * (keySet.promise.verifierSkewMs + clockStepLimitMs)',
      },
      {
        file: RULES,
        from: 'Math.max(version.longestMs, aheadMs) + keySet.promise.verifierSkewMs + clockStepLimitMs',
        to: 'Math.max(version.longestMs, aheadMs) + 0 * (keySet.promise.verifierSkewMs + clockStepLimitMs)',
      },
    ],
  },
  {
    name: 'up-time',
    means: 'the wall clock alone decides when a version leaves the key set',
    breaks: 'verifiable',
    patches: [{ file: RULES, from: ' && version.quietMs >= (version.keepMs ?? 0)', to: '' }],
  },
  {
    name: 'exp-ceiling',
    means: 'JWTs may expire later than the ceiling that was recorded at activation',
    breaks: 'verifiable',
    patches: [
      {
        file: 'lifecycle/fold.ts',
        from: 'expCeilingMs: event.expCeilingMs,\n        longestMs: Math.max(version.longestMs, event.expCeilingMs - event.atMs),',
        to: 'expCeilingMs: version.expCeilingMs ?? event.expCeilingMs,',
      },
      // What the ceilings that were recorded say of the longest life of a JWT goes with them.
      { file: RULES, from: 'Math.max(version.longestMs, aheadMs)', to: 'Math.max(0, aheadMs)' },
      { file: 'app/sign-jwt.ts', from: 'if (expMs <= signer.expCeilingMs) return;', to: 'if (expMs > 0) return;' },
      {
        file: RULES,
        from: '(version.expCeilingMs ?? 0) < nowMs',
        to: 'version.expCeilingMs === undefined && 0 < nowMs',
      },
    ],
  },
  {
    name: 'clock-guard',
    means: 'the wall clock is believed whatever it says',
    breaks: 'right-clock',
    patches: [
      {
        file: 'lifecycle/clock-guard.ts',
        from: 'isTrusted: Math.abs(stepMs) <= stepLimitMs',
        to: 'isTrusted: stepLimitMs >= 0',
      },
    ],
  },
  {
    name: 'durable-answer',
    means: 'a compromise is answered with OK before it is durable',
    breaks: 'compromised-dies-out',
    patches: [
      {
        file: 'app/ledger.ts',
        from: "if (!hasReason(thrown, 'STORE_UNAVAILABLE')) this.#release(narrowing);\n      throw thrown;",
        to: "if (hasReason(thrown, 'STORE_UNAVAILABLE')) return;\n      this.#release(narrowing);\n      throw thrown;",
      },
    ],
  },
  {
    name: 'narrow-first',
    means: 'a compromise takes effect when it is durable, and not before',
    breaks: 'compromised-dies-out',
    patches: [
      {
        file: 'app/ledger.ts',
        from: "if (this.#withheld.get(kid) !== 'everything') this.#withheld.set(kid, withholding);",
        to: 'if (withholding.length === 0) this.#withheld.delete(kid);',
      },
    ],
  },
  {
    name: 'release-check',
    means: 'what a version signed while it was declared compromised is released',
    breaks: 'compromised-dies-out',
    patches: [{ file: 'app/sign-jwt.ts', from: 'if (!ports.isStanding(name, kid))', to: 'if (kid === undefined)' }],
  },
  {
    name: 'rollback-hold',
    means: 'the schedule rotates again right after a rollback',
    breaks: 'operator-decides',
    patches: [
      {
        file: RULES,
        from: 'state.isRotationHeld ? maxSigningPeriodMs : signingPeriodMs',
        to: 'maxSigningPeriodMs > 0 ? signingPeriodMs : 0',
      },
    ],
  },
];

export interface RemovedRule {
  /** A copy of src. */
  readonly folder: string;
  dispose(): Promise<void>;
}

function requireRemoval(name: string): RuleRemoval {
  const removal = RULE_REMOVALS.find((candidate) => candidate.name === name);
  if (removal === undefined)
    throw new RangeError(`there is no rule ${name}; there are ${RULE_REMOVALS.map((rule) => rule.name).join(', ')}`);
  return removal;
}

export function focusOf(name: string): Focus | undefined {
  return requireRemoval(name).focus;
}

export async function removeRule(name: string): Promise<RemovedRule> {
  const removal = requireRemoval(name);
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const home = await mkdtemp(join(tmpdir(), 'keyturn-rule-'));
  const folder = join(home, 'src');
  await cp(join(root, 'src'), folder, { recursive: true });
  await cp(join(root, 'package.json'), join(home, 'package.json'));
  await symlink(join(root, 'node_modules'), join(home, 'node_modules'));
  for (const { file, from, to } of removal.patches) {
    const path = join(folder, file);
    const text = await readFile(path, 'utf8');
    if (text.split(from).length !== 2)
      throw new Error(`the removal of ${name} does not apply to ${file} (once): ${from}`);
    await writeFile(
      path,
      text.replace(from, () => to),
    );
  }
  return { folder, dispose: () => rm(home, { recursive: true, force: true }) };
}
