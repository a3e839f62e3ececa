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
    describeRotatable(key, nowMs),
    key.lastProblem ?? '',
  ]);
  return formatTable(header, rows);
}

function describeRotatable({ retireTime, rotateAllowedTime }: SigningKey, nowMs: number): string {
  if (retireTime !== undefined) return 'retired';
  return rotateAllowedTime === undefined ? 'allowed' : formatRelative(rotateAllowedTime.getTime(), nowMs);
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
        key.activeVersion === undefined ? 'no version now' : `version ${key.activeVersion}, kid ${key.activeKid ?? ''}`,
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
  if (key.retireTime !== undefined) {
    lines.push(describeRetired(key, key.retireTime, nowMs));
  } else if (key.halted) {
    lines.push('signing is halted: no standby takes over until `keyturn key reactivate` or `keyturn key rotate`');
  } else if (key.activeVersion === undefined) {
    lines.push(
      key.readyTime === undefined
        ? 'it can sign as soon as a version is ready'
        : `it can sign from ${formatTime(key.readyTime.getTime(), nowMs)}`,
    );
  }
  if (key.retireTime === undefined) {
    lines.push(
      key.rotateAllowedTime === undefined
        ? 'rotate is allowed now'
        : `rotate is allowed from ${formatTime(key.rotateAllowedTime.getTime(), nowMs)}`,
    );
  }
  lines.push(...describeRotation(key, versions, nowMs));
  for (const version of versions) {
    if (version.state === 'SUSPENDED') {
      lines.push(
        version.suspensionEndTime === undefined
          ? `version ${version.version} is suspended until an operator decides: reactivate, or rotate`
          : `version ${version.version} can come back until ${formatTime(version.suspensionEndTime.getTime(), nowMs)}`,
      );
    }
    if (
      version.published &&
      version.state !== 'ACTIVE' &&
      // A standby has a ceiling beforehand, and has signed nothing.
      version.activateTime !== undefined &&
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

function describeRetired({ name, unretireUntilTime }: SigningKey, retireTime: Date, nowMs: number): string {
  const since = `retired since ${formatTime(retireTime.getTime(), nowMs)}`;
  return unretireUntilTime === undefined
    ? `${since}, for good`
    : `${since}; \`keyturn key unretire ${name}\` brings it back until ${formatTime(unretireUntilTime.getTime(), nowMs)}`;
}

function describeRotation(key: SigningKey, versions: readonly KeyVersion[], nowMs: number): string[] {
  const { activeVersion, rotationDueTime, scheduledRotationTime, lifecyclePolicy } = key;
  if (activeVersion === undefined || rotationDueTime === undefined) return [];
  const dueMs = rotationDueTime.getTime();
  if (dueMs <= nowMs) {
    const { standbys } = lifecyclePolicy;
    return [
      `version ${activeVersion} has been due to be replaced since ${formatTime(dueMs, nowMs)}: rotation waits for ${standbys} standbys that verifiers know`,
    ];
  }
  if (scheduledRotationTime !== undefined)
    return [
      `version ${activeVersion} is due to be replaced at ${formatTime(dueMs, nowMs)}, as \`keyturn key rotate --at\` said`,
    ];
  const activatedMs = versions.find(({ version }) => version === activeVersion)?.activateTime?.getTime();
  const isHeld = activatedMs !== undefined && dueMs > activatedMs + lifecyclePolicy.signingPeriodMs;
  const why = isHeld ? '; a rollback holds rotation until then, or until the next `keyturn key rotate`' : '';
  return [`version ${activeVersion} is due to be replaced at ${formatTime(dueMs, nowMs)}${why}`];
}

function readinessOf(version: KeyVersion): string {
  if (!version.published) return ABSENT;
  if (version.propagated) return 'yes';
  return `in ${formatDuration(version.servedRequiredMs - version.servedMs)}`;
}

function algorithmOf(key: SigningKey): string {
  return key.rsaBits === undefined ? key.algorithm : `${key.algorithm} (${key.rsaBits} bits)`;
}
