/** The client's `plan`: what will happen to signing keys and when, and why everything is as it is. */
import type { CommandOutlook__Output } from '../gen/keyturn/v1/CommandOutlook.ts';
import type { PlannedMoment__Output } from '../gen/keyturn/v1/PlannedMoment.ts';
import type { PlanResponse__Output } from '../gen/keyturn/v1/PlanResponse.ts';
import type { Prospect__Output } from '../gen/keyturn/v1/Prospect.ts';
import type { LifecycleState } from '../lifecycle/model.ts';
import type { ApplySigningKeyRequest, CallOptions } from './types.ts';
import { parseOptionalState, parseState, toSigningKeyMessage } from './messages.ts';
import { keyAdminMethods } from './protos.ts';
import type { Transport } from './transport.ts';
import { fromText, fromTime, requireTime, toDuration } from './values.ts';

export type ProposedSigningKey = Omit<ApplySigningKeyRequest, 'etag' | 'validateOnly' | 'reason'>;

/** An existing signing key as it is, or signing keys as they would be when applied. */
export type PlanRequest = ({ readonly signingKey: string } | { readonly proposed: readonly ProposedSigningKey[] }) & {
  /** Default: 90 days. */
  readonly horizonMs?: number | undefined;
};

export interface Plan {
  readonly startTime: Date;
  /** In the order of time. */
  readonly moments: readonly PlannedMoment[];
  readonly explanations: readonly VersionExplanation[];
  readonly commands: readonly CommandOutlook[];
  readonly keySets: readonly KeySetOutlook[];
  /** What stands against the plan now: a clock that isn't believed, a fence, a step that fails. */
  readonly remarks: readonly string[];
}

export interface PlannedMoment {
  readonly time: Date;
  readonly signingKey: string;
  readonly version: number;
  /** Undefined while it isn't published yet; the same as `toState` when its state stays. */
  readonly fromState: LifecycleState | undefined;
  readonly toState: LifecycleState | undefined;
  /** Goes on the sentence "version N …". */
  readonly description: string;
  /** How many versions the key set publishes from then on, other signing keys' included. */
  readonly publishedVersions: number;
}

export interface VersionExplanation {
  readonly signingKey: string;
  readonly version: number;
  readonly state: LifecycleState;
  readonly published: boolean;
  readonly why: string;
  readonly next: readonly Prospect[];
}

/** What may become of a version: by itself at a time, or by a command. */
export interface Prospect {
  readonly toState: LifecycleState;
  readonly time: Date | undefined;
  readonly command: string | undefined;
}

export interface CommandOutlook {
  readonly signingKey: string;
  readonly command: string;
  readonly allowed: boolean;
  /** When refused. */
  readonly reason: string | undefined;
  readonly message: string | undefined;
  /** When it will be allowed, if time decides. */
  readonly allowedTime: Date | undefined;
}

export interface KeySetOutlook {
  readonly keySet: string;
  readonly peakPublishedVersions: number;
  readonly peakTime: Date;
  readonly maxPublishedVersions: number;
  /** How far the plan goes. */
  readonly endTime: Date;
  /** Whether that is as far as was asked for. */
  readonly complete: boolean;
}

export interface Planning {
  /** Changes nothing. */
  plan(request: PlanRequest, options?: CallOptions): Promise<Plan>;
}

export function createPlanning(
  transport: Transport,
  toDeadlineMs: (options: CallOptions | undefined) => number,
): Planning {
  return {
    async plan(request, options) {
      const { horizonMs } = request;
      const message = {
        ...('signingKey' in request
          ? { signingKey: request.signingKey }
          : { proposed: request.proposed.map(toSigningKeyMessage) }),
        ...(horizonMs === undefined ? {} : { horizon: toDuration(horizonMs) }),
      };
      return fromPlan(await transport.call(keyAdminMethods.Plan, message, toDeadlineMs(options)));
    },
  };
}

function fromPlan(answer: PlanResponse__Output): Plan {
  return {
    startTime: requireTime(answer.startTime, 'start_time'),
    moments: answer.moments.map(fromMoment),
    explanations: answer.explanations.map(({ signingKey, version, state, published, why, next }) => {
      return { signingKey, version, state: parseState(state), published, why, next: next.map(fromProspect) };
    }),
    commands: answer.commands.map(fromCommand),
    keySets: answer.keySets.map(({ peakTime, endTime, ...keySet }) => ({
      ...keySet,
      peakTime: requireTime(peakTime, 'peak_time'),
      endTime: requireTime(endTime, 'end_time'),
    })),
    remarks: answer.remarks,
  };
}

function fromMoment({ time, fromState, toState, ...moment }: PlannedMoment__Output): PlannedMoment {
  return {
    ...moment,
    time: requireTime(time, 'time'),
    fromState: parseOptionalState(fromState),
    toState: parseOptionalState(toState),
  };
}

function fromProspect({ toState, time, command }: Prospect__Output): Prospect {
  return { toState: parseState(toState), time: fromTime(time ?? null), command };
}

function fromCommand({ signingKey, command, allowed, ...refusal }: CommandOutlook__Output): CommandOutlook {
  return {
    signingKey,
    command,
    allowed,
    reason: fromText(refusal.reason),
    message: fromText(refusal.message),
    allowedTime: fromTime(refusal.allowedTime),
  };
}
