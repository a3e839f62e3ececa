/**
 * Every metric of our own: name, kind, labels, help. One table, so that a name is written once; docs/reference/metrics.md
 * and docs/operate/alerts.yaml use the same names, and tests compare. Labels have bounded values only: names from the
 * configuration or from operators, reasons and codes of closed lists, methods of the proto files. Never a caller's
 * data, a kid, or anything of a JWT.
 */

export interface MetricSpec {
  readonly name: string;
  readonly kind: 'gauge' | 'counter' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

export const METRICS = {
  // Signing keys
  signingKeyReady: gauge(
    'keyturn_signing_key_ready',
    '1 when the signing key has an ACTIVE version that may sign and the token has shown of late that it signs.',
    'signing_key',
  ),
  activeVersionAge: gauge(
    'keyturn_active_version_age_seconds',
    'How long the ACTIVE version has been signing; absent without one.',
    'signing_key',
  ),
  signingPeriod: gauge(
    'keyturn_signing_period_seconds',
    "The policy's signing period: how old the ACTIVE version should get.",
    'signing_key',
  ),
  maxSigningPeriod: gauge(
    'keyturn_max_signing_period_seconds',
    "The policy's longest signing period: how old the ACTIVE version may get.",
    'signing_key',
  ),
  publishedStandbys: gauge('keyturn_published_standbys', 'Standbys in the key set.', 'signing_key'),
  propagatedStandbys: gauge(
    'keyturn_propagated_standbys',
    'Standbys that every verifier must know by now: what a rotation or an emergency can take.',
    'signing_key',
  ),
  wantedStandbys: gauge('keyturn_wanted_standbys', 'Standbys that the policy asks for.', 'signing_key'),
  nextStep: gauge(
    'keyturn_next_step_seconds',
    'Time until the next lifecycle step is due; 0 while one is; absent when none waits for time.',
    'signing_key',
  ),
  stepLate: gauge(
    'keyturn_step_late_seconds',
    'How long a due lifecycle step has been failing, with the reason of its latest failure; absent when none is.',
    'signing_key',
    'step',
    'reason',
  ),
  rotationDue: gauge(
    'keyturn_rotation_due_seconds',
    "Time until the ACTIVE version's rotation is due; negative when it is late.",
    'signing_key',
  ),
  halted: gauge('keyturn_signing_key_halted', '1 while an operator has halted the signing key.', 'signing_key'),
  retired: gauge(
    'keyturn_signing_key_retired',
    '1 while the signing key is retired. What tells how it signs is absent then.',
    'signing_key',
  ),
  fenced: gauge(
    'keyturn_signing_key_fenced',
    "1 while the signing key is fenced: the store was restored, or the token holds keys that it can't explain.",
    'signing_key',
  ),
  expCeilingDistance: gauge(
    'keyturn_exp_ceiling_distance_seconds',
    "From now to the ACTIVE version's durable exp ceiling: no JWT is signed that expires later.",
    'signing_key',
  ),
  maxJwtLifetime: gauge('keyturn_max_jwt_lifetime_seconds', "The policy's longest JWT lifetime.", 'signing_key'),
  signingKeysOmitted: gauge('keyturn_signing_keys_omitted', 'Signing keys beyond the number that one scrape reports.'),

  // Key sets
  keySetGeneration: gauge('keyturn_key_set_generation', 'Generation that is published; 0 before the first.', 'key_set'),
  keySetVersions: gauge(
    'keyturn_key_set_published_versions',
    'Keys in the key set, imported ones included.',
    'key_set',
  ),
  keySetMaxVersions: gauge('keyturn_key_set_max_published_versions', 'maxPublishedVersions of the key set.', 'key_set'),
  importedKeys: gauge(
    'keyturn_imported_keys',
    'Public keys of an old signer in the key set, to verify with.',
    'key_set',
  ),
  importExpiry: gauge(
    'keyturn_import_expiry_seconds',
    'Time until the next imported key leaves the key set; absent without one.',
    'key_set',
  ),
  keySetSilence: gauge(
    'keyturn_key_set_unserved_seconds',
    "Time since the HTTP listener last answered the daemon's own probe with the key set; 0 before its first generation.",
    'key_set',
  ),
  keySetWatches: gauge('keyturn_key_set_watches', 'Open WatchKeySet streams, over all callers.'),
  jwksRequests: counter('keyturn_http_requests_total', 'Requests to the HTTP listener, by status.', 'status'),

  // Token
  tokenState: gauge('keyturn_token_state', '1 for the state that the token is in.', 'state'),
  tokenProblem: gauge('keyturn_token_problem', '1 for the reason why the token is unavailable.', 'reason'),
  findings: gauge(
    'keyturn_token_findings',
    'Differences between store and token at the latest comparison, by kind; absent before the first.',
    'kind',
  ),
  workers: gauge('keyturn_hsm_workers', 'HSM worker processes by state.', 'state'),
  sessions: gauge(
    'keyturn_hsm_sessions',
    'Signing sessions that take requests: those of ready workers that are not on trial.',
  ),
  inFlight: gauge('keyturn_hsm_requests_in_flight', 'Sign requests that a session is working on.'),
  workerRestarts: counter('keyturn_hsm_worker_restarts_total', 'HSM workers replaced since the daemon started.'),
  faultRungs: counter(
    'keyturn_hsm_fault_rungs_total',
    'Rungs of the fault ladder that were taken since the daemon started.',
    'rung',
  ),
  signatures: counter(
    'keyturn_hsm_signatures_total',
    "The token's signatures by what their check showed: verified, or wrong and not delivered; unchecked where the configuration samples.",
    'result',
  ),
  queueDepth: gauge('keyturn_sign_queue_depth', 'Sign requests that wait for a session.'),
  queueLimit: gauge('keyturn_sign_queue_limit', 'limits.maxQueuedRequests.'),

  // Requests
  signRequests: counter(
    'keyturn_sign_requests_total',
    'Sign requests by outcome: OK, or the reason of the refusal.',
    'reason',
  ),
  signDuration: histogram('keyturn_sign_duration_seconds', 'Time to answer a sign request that was granted.'),
  jwtsSigned: counter('keyturn_jwts_signed_total', 'JWTs that left the daemon.', 'signing_key'),
  rateLimited: counter(
    'keyturn_rate_limited_requests_total',
    "gRPC calls refused because they came faster than the caller's rateLimit in the access policy allows.",
    'caller',
  ),
  grpcRequests: counter('keyturn_grpc_requests_total', 'gRPC calls by full method and status code.', 'method', 'code'),

  // Store
  commitDuration: histogram('keyturn_store_commit_duration_seconds', 'Time of a durable commit.'),
  commitFailures: counter('keyturn_store_commit_failures_total', 'Commits that failed, by reason.', 'reason'),
  undurableNarrowings: gauge(
    'keyturn_undurable_narrowings',
    'Commands that took power from a key, are in effect, and could not be recorded yet: a restart would undo them.',
  ),
  unrecordedPromises: gauge(
    'keyturn_unrecorded_promises',
    'Key sets whose promise in the configuration could not be recorded yet: the stricter of old and new binds.',
  ),
  reservedEvents: gauge(
    'keyturn_store_reserved_events',
    'Events that a full disk keeps in the reserve of the store: durable, and the reserve is small.',
  ),

  // Audit log
  auditUnwritable: gauge(
    'keyturn_audit_unwritable',
    '1 while the disk takes no audit entries; absent where the audit log is off.',
  ),
  auditEntries: counter('keyturn_audit_entries_total', 'Entries written to the audit log since the daemon started.'),
  auditRefused: counter(
    'keyturn_audit_refused_total',
    'Requests refused because the disk took no audit entries (audit.onFailure: refuse).',
  ),
  auditLost: counter(
    'keyturn_audit_lost_entries_total',
    'Audit entries that are missing: the disk did not take them, and what they tell of was done (audit.onFailure: continue).',
  ),
  auditSequence: gauge('keyturn_audit_sequence', 'Sequence of the last durable audit entry.'),
  auditCheckpoint: gauge(
    'keyturn_audit_checkpoint_sequence',
    'Sequence of the entry that the latest checkpoint signs, with its hash: SEQ:HASH is a head for keyturn audit verify.',
    'hash',
  ),
  auditCheckpointAge: gauge(
    'keyturn_audit_checkpoint_age_seconds',
    'Time since the latest checkpoint; it grows while nothing happens. Absent before the first since the start.',
  ),
  auditBytes: gauge('keyturn_audit_bytes', 'Size of the audit log, all segments.'),
  auditSegments: gauge('keyturn_audit_segments', 'Segments of the audit log.'),

  // Daemon
  openProposals: gauge('keyturn_open_proposals', 'Commands that wait for the approval of another security officer.'),
  clockTrusted: gauge('keyturn_wall_clock_trusted', '1 when the wall clock is believed; nothing is signed otherwise.'),
  clockStep: gauge(
    'keyturn_wall_clock_step_seconds',
    'How far the wall clock is from where it should be by the clock that no step moves: small steps add up here.',
  ),
  clockStepLimit: gauge('keyturn_clock_step_limit_seconds', 'clock.stepLimit.'),
  certificateExpiry: gauge(
    'keyturn_tls_certificate_not_after_timestamp_seconds',
    'Unix time at which the gRPC server certificate expires; absent without a TLS listener.',
  ),
  revocationListsNextUpdate: gauge(
    'keyturn_tls_crl_next_update_timestamp_seconds',
    'Unix time at which the first certificate revocation list is out of date: from then on nobody gets in over TLS. Absent without lists.',
  ),
  accessPolicy: gauge(
    'keyturn_access_policy_info',
    '1 for the access policy in force, by the SHA-256 of its document.',
    'sha256',
  ),
  reloadFailed: gauge(
    'keyturn_reload_failed',
    '1 when the part could not be taken up at the latest SIGHUP, and what was in force before it stays.',
    'part',
  ),
} as const satisfies Record<string, MetricSpec>;

export type MetricKey = keyof typeof METRICS;

function gauge(name: string, help: string, ...labels: readonly string[]): MetricSpec & { readonly kind: 'gauge' } {
  return { name, kind: 'gauge', labels, help };
}

function counter(name: string, help: string, ...labels: readonly string[]): MetricSpec & { readonly kind: 'counter' } {
  return { name, kind: 'counter', labels, help };
}

function histogram(name: string, help: string): MetricSpec & { readonly kind: 'histogram' } {
  return { name, kind: 'histogram', labels: [], help };
}
