/** A recovery's plan, as people read it. Pure. */
import type { RecoveredImport, Recovery, RecoveredSigningKey, RecoveredVersion } from '../client/client.ts';
import { formatTable } from './table.ts';
import { formatIso, formatTime } from './time.ts';

const HEADER = ['SIGNING KEY', 'VERSION', 'KID', 'STORE SAYS', 'BECOMES', 'PUBLISHED', 'WHY'];
const NONE = '–';

export function describeRecovery(plan: Recovery, nowMs: number): string[] {
  const { restoreTime, knownUntilTime, signingKeys, versions, imports } = plan;
  const restored =
    restoreTime === undefined || knownUntilTime === undefined
      ? []
      : [
          `the store was restored at ${formatTime(restoreTime.getTime(), nowMs)}`,
          `it knows nothing of what happened after ${formatTime(knownUntilTime.getTime(), nowMs)}`,
        ];
  return [
    ...restored,
    ...formatTable(HEADER, [...versions.map(toRow), ...imports.map(toImportRow)]),
    ...signingKeys.map((signingKey) => describeSigningKey(signingKey, nowMs)),
  ];
}

function toRow(version: RecoveredVersion): readonly string[] {
  const { signingKey = NONE, version: number, kid, ckaId, recordedState = NONE, why } = version;
  return [
    signingKey,
    number === undefined ? NONE : String(number),
    kid ?? `object ${ckaId}`,
    recordedState,
    version.fate === 'IGNORED' ? 'ignored' : (version.state ?? NONE),
    describePublication(version),
    why,
  ];
}

function toImportRow({ keySet, kid, compromised, expireTime }: RecoveredImport): readonly string[] {
  const published = compromised ? 'no' : `until ${formatIso(expireTime.getTime())}`;
  const why = compromised ? 'named as compromised' : 'imported: the token knows nothing of it';
  return [`(${keySet})`, NONE, kid, 'imported', compromised ? 'removed' : 'imported', published, why];
}

function describePublication({ published, publishEndTime }: RecoveredVersion): string {
  if (!published) return 'no';
  return publishEndTime === undefined ? 'yes' : `until ${formatIso(publishEndTime.getTime())}`;
}

function describeSigningKey({ name, created, activeVersion, readyTime }: RecoveredSigningKey, nowMs: number): string {
  const signing =
    activeVersion === undefined
      ? `signs with a version that every verifier knows, from ${readyTime === undefined ? 'when an operator decides' : formatTime(readyTime.getTime(), nowMs)} on`
      : `signs with version ${activeVersion}`;
  return `${name}: ${created ? 'is made again, and ' : ''}${signing}`;
}
