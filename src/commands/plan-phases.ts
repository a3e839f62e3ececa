/** A plan as phases of its versions: what the drawings are made of. Pure. */
import type { Plan } from '../client/client.ts';
import type { LifecycleState } from '../lifecycle/model.ts';

/** What a version is in the key set. */
export const DRAWN_STATES = ['PRE_ACTIVE', 'ACTIVE', 'SUSPENDED', 'DEACTIVATED'] as const;
export type DrawnState = (typeof DRAWN_STATES)[number];

export interface Phase {
  readonly state: DrawnState;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface VersionRow {
  readonly version: number;
  readonly phases: readonly Phase[];
}

export interface KeyRows {
  readonly signingKey: string;
  readonly versions: readonly VersionRow[];
}

export interface Span {
  readonly startMs: number;
  readonly endMs: number;
}

export function spanOf({ startTime, keySets }: Plan): Span {
  const startMs = startTime.getTime();
  return { startMs, endMs: Math.max(startMs + 1, ...keySets.map(({ endTime }) => endTime.getTime())) };
}

/** Signing keys by first mention, versions by number. */
export function toKeyRows(plan: Plan): readonly KeyRows[] {
  const { startMs, endMs } = spanOf(plan);
  const changes = [
    ...plan.explanations
      .filter(({ published }) => published)
      .map(({ signingKey, version, state }) => ({ signingKey, version, state, atMs: startMs })),
    ...plan.moments.flatMap(({ signingKey, version, fromState, toState, time }) =>
      toState === undefined || toState === fromState
        ? []
        : [{ signingKey, version, state: toState, atMs: time.getTime() }],
    ),
  ];
  return namesIn(plan).map((signingKey) => {
    const own = changes.filter((change) => change.signingKey === signingKey);
    const versions = [...new Set(own.map(({ version }) => version))].toSorted((left, right) => left - right);
    return {
      signingKey,
      versions: versions.map((version) => {
        const steps = own.filter((change) => change.version === version);
        return { version, phases: toPhases(steps, endMs) };
      }),
    };
  });
}

interface PublishedVersion {
  readonly signingKey: string;
  readonly version: number;
  readonly state: LifecycleState;
}

export interface PlanWithContents extends Plan {
  readonly moments: readonly (Plan['moments'][number] & { readonly published: readonly PublishedVersion[] })[];
}

/** With each moment the versions of its signing keys that are published from then on, and as what. */
export function withContents(plan: Plan): PlanWithContents {
  const published = new Map<string, PublishedVersion>();
  const note = (version: PublishedVersion): void => {
    const key = `${version.signingKey} ${version.version}`;
    if (DRAWN_STATES.some((state) => state === version.state)) published.set(key, version);
    else published.delete(key);
  };
  for (const { published: isPublished, signingKey, version, state } of plan.explanations)
    if (isPublished) note({ signingKey, version, state });
  const moments = plan.moments.map((moment) => {
    const { signingKey, version, toState } = moment;
    if (toState !== undefined) note({ signingKey, version, state: toState });
    return { ...moment, published: [...published.values()] };
  });
  return { ...plan, moments };
}

function namesIn({ explanations, moments }: Plan): readonly string[] {
  return [...new Set([...explanations, ...moments].map(({ signingKey }) => signingKey))];
}

function toPhases(
  steps: readonly { readonly state: LifecycleState; readonly atMs: number }[],
  endMs: number,
): readonly Phase[] {
  return steps.flatMap(({ state, atMs }, index): Phase[] => {
    const toMs = steps[index + 1]?.atMs ?? endMs;
    const drawn = DRAWN_STATES.find((candidate) => candidate === state);
    return drawn === undefined || toMs <= atMs ? [] : [{ state: drawn, fromMs: atMs, toMs }];
  });
}
