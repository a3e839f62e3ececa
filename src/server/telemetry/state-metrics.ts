/**
 * The gauges that say how things stand: read from the application when somebody asks, never kept up to date in between.
 * What is gone from the application is gone from the metrics.
 */
import { setImmediate } from 'node:timers/promises';
import type { Application, ClockStatus, SigningKeyView, StoreStatus } from '../../app/application.ts';
import type { AuditTrail } from '../../app/audit-trail.ts';
import type { AuditLogStatus } from '../../audit/audit-log.ts';
import type { Clock } from '../../base/clock.ts';
import type { KeySetName } from '../../base/ids.ts';
import type { TokenStatus, WorkerStatus } from '../../hsm/hsm.ts';
import type { KeySetPromise } from '../../lifecycle/model.ts';
import type { Finding, FindingKind } from '../../lifecycle/reconcile.ts';
import type { Instruments } from './instruments.ts';

const SECOND_MS = 1_000;
/** Signing keys that one scrape reports; the rest is counted. */
export const MAX_REPORTED_SIGNING_KEYS = 1_000;
/** So many are looked at before other work has its turn. */
const PAGE_SIZE = 50;

const TOKEN_STATES: readonly TokenStatus['state'][] = ['starting', 'ready', 'unavailable'];
const FINDING_KINDS: readonly FindingKind[] = ['orphan', 'resurrected', 'missing', 'duplicate', 'challengeFailed'];
const WORKER_STATES: readonly WorkerStatus['state'][] = ['starting', 'ready', 'draining'];

export interface StateSources {
  readonly app: Pick<
    Application,
    | 'listSigningKeys'
    | 'isSigningKeyReady'
    | 'findKeySet'
    | 'summarizeImports'
    | 'tokenStatus'
    | 'clockStatus'
    | 'storeStatus'
    | 'openProposals'
    | 'latestFindings'
  >;
  /** Undefined where the audit log is off. */
  readonly audit: Pick<AuditTrail, 'status'> | undefined;
  readonly keySets: ReadonlyMap<KeySetName, KeySetPromise>;
  readonly silenceMs: (keySet: KeySetName) => number;
  readonly clock: Clock;
}

/** Never twice at once: it lets other work in between. */
export async function readState(instruments: Instruments, sources: StateSources): Promise<void> {
  forgetSigningKeys(instruments);
  let reported = 0;
  let omitted = 0;
  let pageToken = '';
  do {
    const { items, nextPageToken } = sources.app.listSigningKeys(PAGE_SIZE, pageToken);
    const shown = items.slice(0, MAX_REPORTED_SIGNING_KEYS - reported);
    for (const view of shown) setSigningKey(instruments, view, sources);
    reported += shown.length;
    omitted += items.length - shown.length;
    pageToken = nextPageToken;
    if (pageToken !== '') await setImmediate();
  } while (pageToken !== '');
  instruments.signingKeysOmitted.set(omitted);
  setKeySets(instruments, sources);
  setToken(instruments, sources.app.tokenStatus());
  setFindings(instruments, sources.app.latestFindings());
  setClock(instruments, sources.app.clockStatus());
  setStore(instruments, sources.app.storeStatus());
  instruments.openProposals.set(sources.app.openProposals());
  if (sources.audit !== undefined) setAudit(instruments, sources.audit.status(), sources.clock.wallMs());
}

function forgetSigningKeys(instruments: Instruments): void {
  for (const gauge of [
    instruments.signingKeyReady,
    instruments.activeVersionAge,
    instruments.signingPeriod,
    instruments.maxSigningPeriod,
    instruments.publishedStandbys,
    instruments.propagatedStandbys,
    instruments.wantedStandbys,
    instruments.nextStep,
    instruments.stepLate,
    instruments.rotationDue,
    instruments.halted,
    instruments.retired,
    instruments.fenced,
    instruments.expCeilingDistance,
    instruments.maxJwtLifetime,
  ])
    gauge.reset();
}

function setSigningKey(instruments: Instruments, view: SigningKeyView, sources: StateSources): void {
  const labels = { signing_key: view.name };
  instruments.retired.set(labels, view.retirement === undefined ? 0 : 1);
  instruments.fenced.set(labels, view.isFenced ? 1 : 0);
  if (view.nextStepInMs !== undefined) instruments.nextStep.set(labels, view.nextStepInMs / SECOND_MS);
  for (const { step, reason, failingForMs } of view.failingSteps)
    instruments.stepLate.set({ ...labels, step, reason }, failingForMs / SECOND_MS);
  // A retired one doesn't sign, and nobody should be woken for it.
  if (view.retirement === undefined) setService(instruments, view, sources);
}

function setService(instruments: Instruments, view: SigningKeyView, { app, clock }: StateSources): void {
  const labels = { signing_key: view.name };
  const nowMs = clock.wallMs();
  instruments.signingKeyReady.set(labels, app.isSigningKeyReady(view.name) === true ? 1 : 0);
  instruments.signingPeriod.set(labels, view.policy.signingPeriodMs / SECOND_MS);
  instruments.maxSigningPeriod.set(labels, view.policy.maxSigningPeriodMs / SECOND_MS);
  instruments.maxJwtLifetime.set(labels, view.policy.maxJwtLifetimeMs / SECOND_MS);
  instruments.publishedStandbys.set(labels, view.publishedStandbys);
  instruments.propagatedStandbys.set(labels, view.propagatedStandbys);
  instruments.wantedStandbys.set(labels, view.policy.standbys);
  if (view.active !== undefined) {
    instruments.activeVersionAge.set(labels, (nowMs - view.active.activatedAtMs) / SECOND_MS);
    instruments.expCeilingDistance.set(labels, (view.active.expCeilingMs - nowMs) / SECOND_MS);
  }
  if (view.rotationDueAtMs !== undefined)
    instruments.rotationDue.set(labels, (view.rotationDueAtMs - nowMs) / SECOND_MS);
  instruments.halted.set(labels, view.isHalted ? 1 : 0);
}

function setKeySets(instruments: Instruments, { app, keySets, silenceMs }: StateSources): void {
  instruments.importExpiry.reset();
  for (const [name, { maxPublishedVersions }] of keySets) {
    const labels = { key_set: name };
    const published = app.findKeySet(name);
    instruments.keySetGeneration.set(labels, published?.generation ?? 0);
    instruments.keySetVersions.set(labels, published?.kids.size ?? 0);
    instruments.keySetMaxVersions.set(labels, maxPublishedVersions);
    const imports = app.summarizeImports(name);
    instruments.importedKeys.set(labels, imports?.importedKeys ?? 0);
    if (imports?.nextExpiryInMs !== undefined) instruments.importExpiry.set(labels, imports.nextExpiryInMs / SECOND_MS);
    instruments.keySetSilence.set(labels, published === undefined ? 0 : silenceMs(name) / SECOND_MS);
  }
}

function setToken(instruments: Instruments, status: TokenStatus): void {
  for (const state of TOKEN_STATES) instruments.tokenState.set({ state }, status.state === state ? 1 : 0);
  instruments.tokenProblem.reset();
  if (status.reason !== undefined) instruments.tokenProblem.set({ reason: status.reason }, 1);
  for (const state of WORKER_STATES) {
    instruments.workers.set({ state }, status.workers.filter((worker) => worker.state === state).length);
  }
  instruments.sessions.set(sum(status.workers.map((worker) => worker.sessions)));
  instruments.inFlight.set(sum(status.workers.map((worker) => worker.inFlight)));
  instruments.queueDepth.set(status.queueDepth);
  // The pool counts since the start of the daemon, as a counter must.
  instruments.workerRestarts.reset();
  instruments.workerRestarts.inc(status.workerRestarts);
  instruments.faultRungs.reset();
  for (const [rung, count] of Object.entries(status.faultRungs)) instruments.faultRungs.inc({ rung }, count);
  instruments.signatures.reset();
  for (const [result, count] of Object.entries(status.signatures)) instruments.signatures.inc({ result }, count);
}

function setFindings(instruments: Instruments, findings: readonly Finding[] | undefined): void {
  instruments.findings.reset();
  if (findings === undefined) return;
  for (const kind of FINDING_KINDS)
    instruments.findings.set({ kind }, findings.filter((finding) => finding.kind === kind).length);
}

function setClock(instruments: Instruments, { isTrusted, stepMs, stepLimitMs }: ClockStatus): void {
  instruments.clockTrusted.set(isTrusted ? 1 : 0);
  instruments.clockStep.set(stepMs / SECOND_MS);
  instruments.clockStepLimit.set(stepLimitMs / SECOND_MS);
}

function setStore(instruments: Instruments, status: StoreStatus): void {
  instruments.undurableNarrowings.set(status.undurableNarrowings);
  instruments.unrecordedPromises.set(status.unrecordedPromises);
  instruments.reservedEvents.set(status.reservedEvents);
}

function setAudit(instruments: Instruments, status: AuditLogStatus, nowMs: number): void {
  const { head, checkpoint, bytes, segments, problem } = status;
  instruments.auditUnwritable.set(problem === undefined ? 0 : 1);
  instruments.auditSequence.set(head.seq);
  instruments.auditBytes.set(bytes);
  instruments.auditSegments.set(segments);
  instruments.auditEntries.reset();
  instruments.auditEntries.inc(status.entries);
  instruments.auditRefused.reset();
  instruments.auditRefused.inc(status.refused);
  instruments.auditLost.reset();
  instruments.auditLost.inc(status.lost);
  instruments.auditCheckpoint.reset();
  if (checkpoint === undefined) return;
  instruments.auditCheckpoint.set({ hash: checkpoint.head.hash }, checkpoint.head.seq);
  instruments.auditCheckpointAge.set((nowMs - checkpoint.atMs) / SECOND_MS);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
