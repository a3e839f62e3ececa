/** A plan as proto messages. */
import type { PlanView } from '../../app/application.ts';
import type { CommandOutlook } from '../../gen/keyturn/v1/CommandOutlook.ts';
import type { PlannedMoment } from '../../gen/keyturn/v1/PlannedMoment.ts';
import type { PlanResponse } from '../../gen/keyturn/v1/PlanResponse.ts';
import type { Prospect as ProspectMessage } from '../../gen/keyturn/v1/Prospect.ts';
import type { Prospect } from '../../lifecycle/explain.ts';
import { toOptionalTimestamp, toTimestamp } from './values.ts';
import { toState } from './views.ts';

export function toPlanResponse(view: PlanView): PlanResponse {
  return {
    startTime: toTimestamp(view.startMs),
    moments: view.moments.map(toMoment),
    explanations: view.explanations.map(({ signingKey, version, state, isPublished, why, next }) => ({
      signingKey,
      version,
      state: toState(state),
      published: isPublished,
      why,
      next: next.map(toProspect),
    })),
    commands: view.commands.map(toCommand),
    keySets: view.keySets.map(({ keySet, endMs, isComplete, peak, maxPublishedVersions }) => ({
      keySet,
      peakPublishedVersions: peak.publishedVersions,
      peakTime: toTimestamp(peak.atMs),
      maxPublishedVersions,
      endTime: toTimestamp(endMs),
      complete: isComplete,
    })),
    remarks: [...view.remarks],
  };
}

function toMoment({ atMs, from, to, content, importedKeys, ...moment }: PlanView['moments'][number]): PlannedMoment {
  return {
    ...moment,
    time: toTimestamp(atMs),
    fromState: toState(from),
    toState: toState(to),
    publishedVersions: content.length + importedKeys,
  };
}

function toProspect(prospect: Prospect): ProspectMessage {
  const toStateName = toState(prospect.to);
  return prospect.by === 'time'
    ? { toState: toStateName, time: toTimestamp(prospect.atMs) }
    : { toState: toStateName, command: prospect.command };
}

function toCommand({ signingKey, command, isAllowed, refusal }: PlanView['commands'][number]): CommandOutlook {
  return {
    signingKey,
    command,
    allowed: isAllowed,
    reason: refusal?.reason ?? '',
    message: refusal?.message ?? '',
    allowedTime: toOptionalTimestamp(refusal?.allowedAtMs),
  };
}
