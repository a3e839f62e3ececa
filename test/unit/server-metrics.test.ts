/** What the metrics count, and that nothing a caller makes up becomes a label. */
import { beforeEach, describe, expect, it } from 'vitest';
import type { Application, SigningKeyView } from '../../src/app/application.ts';
import type { JwksProbe } from '../../src/app/jwks-probe.ts';
import { KeyturnError } from '../../src/base/errors.ts';
import { type CallerName, type CkaId, type KeySetName, type Kid, parseSigningKeyName } from '../../src/base/ids.ts';
import type { TokenStatus } from '../../src/hsm/hsm.ts';
import { countRungs } from '../../src/hsm/ladder.ts';
import { DEFAULT_PROMISE } from '../../src/lifecycle/policy.ts';
import { MAX_REPORTED_SIGNING_KEYS } from '../../src/server/telemetry/state-metrics.ts';
import { Telemetry } from '../../src/server/telemetry/telemetry.ts';
import { FakeApplication } from '../fakes/fake-application.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { DAY, HOUR, MINUTE, policyOf, T0 } from '../fixtures/lifecycle.ts';
import { LIMITS } from '../fixtures/test-servers.ts';
import { readAll } from '../fixtures/read-all.ts';

const CALLER = 'auth-service' as CallerName;
const KEY_SET = 'default' as KeySetName;
const CKA_ID = '0'.repeat(32) as CkaId;
const KID = 'k'.repeat(43) as Kid;
const SECOND = 1_000;
const CONFIG = {
  keySets: new Map([[KEY_SET, DEFAULT_PROMISE]]),
  limits: LIMITS,
  grpcListeners: [],
};

let clock: FakeClock;
let telemetry: Telemetry;

beforeEach(() => {
  clock = new FakeClock(T0);
  telemetry = new Telemetry({ host: '127.0.0.1', port: 0 }, CONFIG, clock);
});

/** The value of one series of the text; undefined when it isn't there. */
async function valueOf(series: string): Promise<number | undefined> {
  clock.advance(SECOND);
  const line = (await telemetry.toText()).split('\n').find((text) => text.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}

function viewOf(name: string, more: Partial<SigningKeyView> = {}): SigningKeyView {
  return {
    name: parseSigningKeyName(name),
    keySet: KEY_SET,
    spec: { algorithm: 'ES256' },
    policy: policyOf(),
    etag: '',
    createdAtMs: T0,
    active: { version: 1, kid: KID, activatedAtMs: T0 - DAY, expCeilingMs: T0 + 2 * HOUR },
    propagatedStandbys: 1,
    publishedStandbys: 2,
    rotateAllowedAtMs: undefined,
    readyAtMs: undefined,
    isReconciling: false,
    retirement: undefined,
    scheduledRotationAtMs: undefined,
    lastProblem: '',
    nextStepInMs: 5 * MINUTE,
    failingSteps: [],
    rotationDueAtMs: T0 + HOUR,
    isHalted: false,
    isFenced: false,
    ...more,
  };
}

const READY: TokenStatus = {
  state: 'ready',
  workers: [
    { pid: 10, state: 'ready', sessions: 2, inFlight: 3, sinceMs: 0 },
    { pid: 11, state: 'starting', sessions: 0, inFlight: 0, sinceMs: 0 },
  ],
  workerRestarts: 4,
  faultRungs: { ...countRungs(), evictSession: 2, reinitialise: 1 },
  signatures: { verified: 12, wrong: 1, unchecked: 0 },
  queueDepth: 7,
};

type Watched = Parameters<Telemetry['watch']>[0];

function watch(
  views: readonly SigningKeyView[],
  more: Partial<Watched> = {},
  audit?: Parameters<Telemetry['watch']>[1],
): void {
  const app: Watched = {
    listSigningKeys: (pageSize, pageToken) => {
      const start = Number(pageToken);
      const end = start + pageSize;
      return { items: views.slice(start, end), nextPageToken: end < views.length ? String(end) : '' };
    },
    isSigningKeyReady: () => true,
    findKeySet: () => undefined,
    tokenStatus: () => READY,
    summarizeImports: () => undefined,
    latestFindings: () => undefined,
    clockStatus: () => ({ isTrusted: true, stepMs: 0, stepLimitMs: MINUTE, wallMs: T0 }),
    storeStatus: () => ({ undurableNarrowings: 0, unrecordedPromises: 0, reservedEvents: 0 }),
    openProposals: () => 0,
    ...more,
  };
  telemetry.watch(app, audit);
}

describe('sign requests', () => {
  const sign = (signing: Pick<Application, 'signJwt'>, signingKey: string) =>
    signing.signJwt(CALLER, {
      signingKey,
      claims: Buffer.from('{}'),
      typ: '',
      lifetimeMs: undefined,
      deadlineMs: undefined,
    });

  it('are counted by outcome, timed, and passed through unchanged', async () => {
    const app = new FakeApplication();
    await app.applySigningKey(CALLER, {
      name: 'access-tokens',
      keySet: '',
      algorithm: 'ES256',
      rsaBits: 0,
      lifecyclePolicy: {},
      etag: '',
      validateOnly: false,
      reason: '',
      deadlineMs: undefined,
    });
    const signing = telemetry.meterSigning(app);
    expect(await valueOf('keyturn_sign_requests_total{reason="OK"}')).toBe(0);
    const { jwt } = await sign(signing, 'access-tokens');
    expect(jwt.split('.')).toHaveLength(3);
    expect(await valueOf('keyturn_sign_requests_total{reason="OK"}')).toBe(1);
    expect(await valueOf('keyturn_jwts_signed_total{signing_key="access-tokens"}')).toBe(1);
    expect(await valueOf('keyturn_sign_duration_seconds_count')).toBe(1);
  });

  it('that are refused count by reason, and the name that was asked for is no label', async () => {
    const refusing = telemetry.meterSigning({
      signJwt: () => Promise.reject(new KeyturnError('QUEUE_FULL', 'no')),
    });
    await expect(sign(refusing, 'made-up')).rejects.toMatchObject({ reason: 'QUEUE_FULL' });
    expect(await valueOf('keyturn_sign_requests_total{reason="QUEUE_FULL"}')).toBe(1);
    expect(await valueOf('keyturn_sign_duration_seconds_count')).toBe(0);
    expect(await telemetry.toText()).not.toContain('made-up');
  });

  it('that meet a defect count as INTERNAL and reject with the defect itself', async () => {
    const defect = new Error('boom');
    const broken = telemetry.meterSigning({ signJwt: () => Promise.reject(defect) });
    await expect(sign(broken, 'x')).rejects.toBe(defect);
    expect(await valueOf('keyturn_sign_requests_total{reason="INTERNAL"}')).toBe(1);
  });
});

describe('the audit log', () => {
  const head = { seq: 120, hash: 'H'.repeat(43) };
  const status = {
    head,
    entries: 20,
    bytes: 48_000,
    segments: 2,
    checkpoint: { head: { ...head, seq: 100 }, atMs: T0 - 30 * SECOND, line: '' },
    problem: undefined,
    refused: 3,
    lost: 0,
  };

  it('tells where it is, what it signed last, and what the disk did', async () => {
    watch([], {}, { status: () => status });
    expect(await valueOf('keyturn_audit_sequence')).toBe(120);
    expect(await valueOf(`keyturn_audit_checkpoint_sequence{hash="${head.hash}"}`)).toBe(100);
    expect(await valueOf('keyturn_audit_checkpoint_age_seconds')).toBeGreaterThanOrEqual(30);
    expect(await valueOf('keyturn_audit_unwritable')).toBe(0);
    expect(await valueOf('keyturn_audit_refused_total')).toBe(3);
    clock.advance(SECOND);
    watch([], {}, { status: () => ({ ...status, problem: 'the disk is full' }) });
    expect(await valueOf('keyturn_audit_unwritable')).toBe(1);
  });
});

describe('the store', () => {
  it('has its commits timed and its failures counted by reason', async () => {
    const memory = new MemoryStore();
    const store = telemetry.meterStore(memory);
    await store.commit([{ stream: 'token', expectedSequence: 0, events: [{ type: 'X', atMs: 0 }] }]);
    await expect(store.commit([{ stream: 'token', expectedSequence: 7, events: [] }])).rejects.toMatchObject({
      reason: 'CONCURRENT_CHANGE',
    });
    expect(await readAll(store)).toHaveLength(1);
    expect(await valueOf('keyturn_store_commit_duration_seconds_count')).toBe(1);
    expect(await valueOf('keyturn_store_commit_failures_total{reason="CONCURRENT_CHANGE"}')).toBe(1);
    expect(await valueOf('keyturn_store_commit_failures_total{reason="STORE_UNAVAILABLE"}')).toBe(0);
    await store.close();
    await expect(readAll(memory)).rejects.toMatchObject({ reason: 'SHUTTING_DOWN' });
  });
});

describe('calls and answers', () => {
  it('count by method and code; a method that does not exist is unknown', async () => {
    const method = '/keyturn.v1.SigningService/SignJwt';
    telemetry.countCall(method, 'OK');
    telemetry.countCall(method, 'OK');
    telemetry.countCall('/made.up/Method', 'UNIMPLEMENTED');
    telemetry.countHttpAnswer(304);
    expect(await valueOf(`keyturn_grpc_requests_total{method="${method}",code="OK"}`)).toBe(2);
    expect(await valueOf('keyturn_grpc_requests_total{method="unknown",code="UNIMPLEMENTED"}')).toBe(1);
    expect(await valueOf('keyturn_http_requests_total{status="304"}')).toBe(1);
    expect(await telemetry.toText()).not.toContain('made.up');
  });
});

describe('a signing key', () => {
  const label = '{signing_key="access-tokens"}';

  it('shows its ages, standbys, next step and distance to the exp ceiling', async () => {
    watch([viewOf('access-tokens')]);
    expect(await valueOf(`keyturn_active_version_age_seconds${label}`)).toBe((DAY + SECOND) / SECOND);
    expect(await valueOf(`keyturn_exp_ceiling_distance_seconds${label}`)).toBe((2 * HOUR - 2 * SECOND) / SECOND);
    expect(await valueOf(`keyturn_signing_period_seconds${label}`)).toBe(policyOf().signingPeriodMs / SECOND);
    expect(await valueOf(`keyturn_propagated_standbys${label}`)).toBe(1);
    expect(await valueOf(`keyturn_published_standbys${label}`)).toBe(2);
    expect(await valueOf(`keyturn_wanted_standbys${label}`)).toBe(2);
    expect(await valueOf(`keyturn_next_step_seconds${label}`)).toBe(300);
    expect(await valueOf(`keyturn_rotation_due_seconds${label}`)).toBe((HOUR - 8 * SECOND) / SECOND);
    expect(await valueOf(`keyturn_signing_key_halted${label}`)).toBe(0);
    expect(await valueOf(`keyturn_signing_key_ready${label}`)).toBe(1);
  });

  it('that is retired says so and wakes nobody: what tells how it signs is absent', async () => {
    const retirement = { atMs: T0, untilMs: T0 + HOUR };
    watch([viewOf('access-tokens', { active: undefined, retirement })], { isSigningKeyReady: () => false });
    expect(await valueOf(`keyturn_signing_key_retired${label}`)).toBe(1);
    expect(await valueOf(`keyturn_next_step_seconds${label}`)).toBe(300);
    for (const metric of ['signing_key_ready', 'propagated_standbys', 'wanted_standbys', 'rotation_due_seconds'])
      expect(await valueOf(`keyturn_${metric}${label}`), metric).toBeUndefined();
    watch([viewOf('access-tokens')]);
    expect(await valueOf(`keyturn_signing_key_retired${label}`)).toBe(0);
  });

  it('without an ACTIVE version has no age, rather than a wrong one', async () => {
    watch([viewOf('access-tokens', { active: undefined, nextStepInMs: undefined })], {
      isSigningKeyReady: () => false,
    });
    expect(await valueOf(`keyturn_signing_key_ready${label}`)).toBe(0);
    expect(await valueOf(`keyturn_active_version_age_seconds${label}`)).toBeUndefined();
    expect(await valueOf(`keyturn_exp_ceiling_distance_seconds${label}`)).toBeUndefined();
    expect(await valueOf(`keyturn_next_step_seconds${label}`)).toBeUndefined();
  });

  it('names the step that fails, and why, only as long as it does', async () => {
    const failing = '{signing_key="access-tokens",step="makeVersion",reason="TOKEN_UNAVAILABLE"}';
    const failingSteps = [{ step: 'makeVersion', reason: 'TOKEN_UNAVAILABLE', failingForMs: 90_000 }] as const;
    watch([viewOf('access-tokens', { failingSteps })]);
    expect(await valueOf(`keyturn_step_late_seconds${failing}`)).toBe(90);
    watch([viewOf('access-tokens')]);
    expect(await valueOf(`keyturn_step_late_seconds${failing}`)).toBeUndefined();
  });

  it('that is gone from the application is gone from the metrics', async () => {
    watch([viewOf('access-tokens')]);
    expect(await valueOf(`keyturn_propagated_standbys${label}`)).toBe(1);
    watch([]);
    expect(await valueOf(`keyturn_propagated_standbys${label}`)).toBeUndefined();
  });

  it('is reported up to a limit, and the rest is counted', async () => {
    watch(Array.from({ length: MAX_REPORTED_SIGNING_KEYS + 3 }, (_, index) => viewOf(`k${index}`)));
    expect(await valueOf('keyturn_signing_keys_omitted')).toBe(3);
    const text = await telemetry.toText();
    expect(text.match(/^keyturn_propagated_standbys\{/gm)).toHaveLength(MAX_REPORTED_SIGNING_KEYS);
  });
});

describe('a key set', () => {
  const label = '{key_set="default"}';
  const snapshot = {
    keySet: KEY_SET,
    generation: 5,
    kids: new Set([KID]),
    body: Buffer.from(''),
    etag: '',
    maxAgeSeconds: 1,
  };

  it('shows its generation, how full it is, and how long nobody was answered', async () => {
    let kids: ReadonlySet<Kid> | Error = new Set([KID]);
    const inner: JwksProbe = {
      fetchKids: () => (kids instanceof Error ? Promise.reject(kids) : Promise.resolve(kids)),
    };
    const probe = telemetry.meterProbe(inner);
    watch([], { findKeySet: () => snapshot });
    clock.advance(10 * SECOND);
    await probe.fetchKids(KEY_SET);
    expect(await valueOf(`keyturn_key_set_unserved_seconds${label}`)).toBe(1);
    kids = new Error('down');
    clock.advance(30 * SECOND);
    await expect(probe.fetchKids(KEY_SET)).rejects.toThrow('down');
    expect(await valueOf(`keyturn_key_set_unserved_seconds${label}`)).toBe(32);
    expect(await valueOf(`keyturn_key_set_generation${label}`)).toBe(5);
    expect(await valueOf(`keyturn_key_set_published_versions${label}`)).toBe(1);
    expect(await valueOf(`keyturn_key_set_max_published_versions${label}`)).toBe(DEFAULT_PROMISE.maxPublishedVersions);
  });

  it('that was never answered since the start counts from the start', async () => {
    telemetry.meterProbe({ fetchKids: () => Promise.reject(new Error('down')) });
    watch([], { findKeySet: () => snapshot });
    clock.advance(59 * SECOND);
    expect(await valueOf(`keyturn_key_set_unserved_seconds${label}`)).toBe(60);
  });

  it('that the listener denies to have is not served', async () => {
    const probe = telemetry.meterProbe({ fetchKids: () => Promise.resolve(undefined) });
    watch([], { findKeySet: () => snapshot });
    clock.advance(59 * SECOND);
    await probe.fetchKids(KEY_SET);
    expect(await valueOf(`keyturn_key_set_unserved_seconds${label}`)).toBe(60);
  });

  it('without a first generation is not missed', async () => {
    telemetry.meterProbe({ fetchKids: () => Promise.resolve(undefined) });
    watch([]);
    clock.advance(HOUR);
    expect(await valueOf(`keyturn_key_set_unserved_seconds${label}`)).toBe(0);
    expect(await valueOf(`keyturn_key_set_generation${label}`)).toBe(0);
  });
});

describe('imported keys', () => {
  it('are counted, with the time until the next one leaves, as long as there is one', async () => {
    const series = (name: string) => valueOf(`keyturn_${name}{key_set="default"}`);
    watch([], { summarizeImports: () => ({ importedKeys: 2, nextExpiryInMs: HOUR }) });
    expect([await series('imported_keys'), await series('import_expiry_seconds')]).toEqual([2, 3_600]);
    watch([], { summarizeImports: () => ({ importedKeys: 0, nextExpiryInMs: undefined }) });
    expect([await series('imported_keys'), await series('import_expiry_seconds')]).toEqual([0, undefined]);
  });
});

describe('the token', () => {
  it('shows state, workers, sessions, queue, and restarts as a counter that never counts twice', async () => {
    watch([]);
    expect(await valueOf('keyturn_token_state{state="ready"}')).toBe(1);
    expect(await valueOf('keyturn_token_state{state="unavailable"}')).toBe(0);
    expect(await valueOf('keyturn_hsm_workers{state="ready"}')).toBe(1);
    expect(await valueOf('keyturn_hsm_workers{state="draining"}')).toBe(0);
    expect(await valueOf('keyturn_hsm_sessions')).toBe(2);
    expect(await valueOf('keyturn_hsm_requests_in_flight')).toBe(3);
    expect(await valueOf('keyturn_hsm_signatures_total{result="verified"}')).toBe(12);
    expect(await valueOf('keyturn_hsm_signatures_total{result="wrong"}')).toBe(1);
    expect(await valueOf('keyturn_hsm_worker_restarts_total')).toBe(4);
    expect(await valueOf('keyturn_hsm_worker_restarts_total')).toBe(4);
    expect(await valueOf('keyturn_sign_queue_depth')).toBe(7);
    expect(await valueOf('keyturn_sign_queue_limit')).toBe(LIMITS.maxQueuedRequests);
  });

  it('tells why it is unavailable, as long as it is', async () => {
    watch([], { tokenStatus: () => ({ ...READY, state: 'unavailable', reason: 'PIN_INCORRECT', workers: [] }) });
    expect(await valueOf('keyturn_token_problem{reason="PIN_INCORRECT"}')).toBe(1);
    expect(await valueOf('keyturn_token_state{state="ready"}')).toBe(0);
    watch([]);
    expect(await valueOf('keyturn_token_problem{reason="PIN_INCORRECT"}')).toBeUndefined();
  });
});

describe('a difference between store and token', () => {
  it('is counted by kind once they have been compared, and shows which signing key it fences', async () => {
    watch([viewOf('access-tokens', { isFenced: true })]);
    expect(await valueOf('keyturn_token_findings{kind="orphan"}')).toBeUndefined();
    expect(await valueOf('keyturn_signing_key_fenced{signing_key="access-tokens"}')).toBe(1);
    const orphan = { kind: 'orphan', ckaId: CKA_ID, ckaLabel: '', signingKey: undefined, version: undefined } as const;
    watch([viewOf('access-tokens')], { latestFindings: () => [orphan, orphan] });
    expect(await valueOf('keyturn_token_findings{kind="orphan"}')).toBe(2);
    expect(await valueOf('keyturn_token_findings{kind="missing"}')).toBe(0);
    expect(await valueOf('keyturn_signing_key_fenced{signing_key="access-tokens"}')).toBe(0);
  });
});

describe('the clock', () => {
  it('shows whether it is believed, how far it stepped and how far it may', async () => {
    watch([]);
    expect(await valueOf('keyturn_wall_clock_trusted')).toBe(1);
    const status = { isTrusted: false, stepMs: -90_000, stepLimitMs: MINUTE, wallMs: T0 };
    watch([], { clockStatus: () => status });
    expect(await valueOf('keyturn_wall_clock_trusted')).toBe(0);
    expect(await valueOf('keyturn_wall_clock_step_seconds')).toBe(-90);
    expect(await valueOf('keyturn_clock_step_limit_seconds')).toBe(60);
  });
});

describe('the text', () => {
  it('is made once for all who ask within a second', async () => {
    let reads = 0;
    watch([], {
      tokenStatus: () => {
        reads += 1;
        return READY;
      },
    });
    await Promise.all(Array.from({ length: 20 }, () => telemetry.toText()));
    expect(reads).toBe(1);
    clock.advance(SECOND);
    await telemetry.toText();
    expect(reads).toBe(2);
  });
});

describe('the store', () => {
  it('tells what waits for its disk', async () => {
    watch([], { storeStatus: () => ({ undurableNarrowings: 2, unrecordedPromises: 1, reservedEvents: 5 }) });
    expect(await valueOf('keyturn_undurable_narrowings')).toBe(2);
    expect(await valueOf('keyturn_unrecorded_promises')).toBe(1);
    expect(await valueOf('keyturn_store_reserved_events')).toBe(5);
  });
});

describe('two-person control', () => {
  it('tells how many commands wait for approval', async () => {
    watch([], { openProposals: () => 3 });
    expect(await valueOf('keyturn_open_proposals')).toBe(3);
  });
});
