/** Signing keys and key versions as people read them. Pure. */
import { formatDuration } from '../base/duration.ts';
import type { KeyVersion, SigningKey } from '../client/client.ts';
import { formatFields, formatTable } from './table.ts';
import { formatRelative, formatTime } from './time.ts';

const ABSENT = '–';
const BULLET = '- ';

export function describeSigningKeys(signingKeys: readonly SigningKey[], nowMs: number): string[] {
  const header = ['NAME', 'ALGORITHM', 'KEY SET', 'ACTIVE', 'STANDBYS', 'ROTATE', 'PROBLEM'];
  const rows = signingKeys.map((key) => [
    key.name,
    algorithmOf(key),
    key.keySet,
    key.activeVersion === undefined ? ABSENT : String(key.activeVersion),
    `${key.propagatedStandbys} of ${key.publishedStandbys} ready`,
    key.rotateAllowedTime === undefined ? 'allowed' : formatRelative(key.rotateAllowedTime.getTime(), nowMs),
    key.lastProblem ?? '',
  ]);
  return formatTable(header, rows);
}

export function describeSigningKey(key: SigningKey, nowMs: number): string[] {
  const policy = key.lifecyclePolicy;
  return [
    ...formatFields([
      ['signing key', key.name],
      ['algorithm', algorithmOf(key)],
      ['key set', key.keySet],
      [
        'signs',
        key.activeVersion === undefined ? 'no version yet' : `version ${key.activeVersion}, kid ${key.activeKid ?? ''}`,
      ],
      ['JWT lifetime', `at most ${formatDuration(policy.maxJwtLifetimeMs)}`],
      [
        'signing period',
        `${formatDuration(policy.signingPeriodMs)}, at most ${formatDuration(policy.maxSigningPeriodMs)}`,
      ],
      ['rollback window', formatDuration(policy.rollbackWindowMs)],
      ['created', formatTime(key.createTime.getTime(), nowMs)],
      ['etag', key.etag],
    ]),
  ];
}

export function describeVersions(versions: readonly KeyVersion[], nowMs: number): string[] {
  const rows = versions.map((version) => [
    String(version.version),
    version.state,
    version.published ? 'yes' : 'no',
    readinessOf(version),
    formatRelative(version.createTime.getTime(), nowMs),
    version.kid,
  ]);
  return formatTable(['VERSION', 'STATE', 'PUBLISHED', 'KNOWN TO VERIFIERS', 'CREATED', 'KID'], rows);
}

/** What may happen next, and when, as sentences. */
export function describeNext(key: SigningKey, versions: readonly KeyVersion[], nowMs: number): string[] {
  const lines: string[] = [];
  if (key.lastProblem !== undefined) lines.push(`problem: ${key.lastProblem}`);
  if (key.reconciling) lines.push('key pairs are being made or destroyed in the token right now');
  if (key.activeVersion === undefined) {
    lines.push(
      key.readyTime === undefined
        ? 'it can sign as soon as a version is ready'
        : `it can sign from ${formatTime(key.readyTime.getTime(), nowMs)}`,
    );
  }
  lines.push(
    key.rotateAllowedTime === undefined
      ? 'rotate is allowed now'
      : `rotate is allowed from ${formatTime(key.rotateAllowedTime.getTime(), nowMs)}`,
  );
  const active = versions.find(({ state }) => state === 'ACTIVE');
  if (active?.activateTime !== undefined) {
    const dueMs = active.activateTime.getTime() + key.lifecyclePolicy.signingPeriodMs;
    lines.push(`version ${active.version} is due to be replaced at ${formatTime(dueMs, nowMs)}`);
  }
  for (const version of versions) {
    if (version.state === 'SUSPENDED' && version.suspendTime !== undefined) {
      const endMs = version.suspendTime.getTime() + key.lifecyclePolicy.rollbackWindowMs;
      lines.push(`version ${version.version} can come back until ${formatTime(endMs, nowMs)}`);
    }
    if (
      version.published &&
      version.state !== 'ACTIVE' &&
      version.expCeiling !== undefined &&
      version.expCeiling.getTime() > nowMs
    ) {
      lines.push(
        `the last JWT of version ${version.version} expires before ${formatTime(version.expCeiling.getTime(), nowMs)}`,
      );
    }
  }
  return lines.map((line) => BULLET + line);
}

function readinessOf(version: KeyVersion): string {
  if (!version.published) return ABSENT;
  if (version.propagated) return 'yes';
  return `in ${formatDuration(version.servedRequiredMs - version.servedMs)}`;
}

function algorithmOf(key: SigningKey): string {
  return key.rsaBits === undefined ? key.algorithm : `${key.algorithm} (${key.rsaBits} bits)`;
}
