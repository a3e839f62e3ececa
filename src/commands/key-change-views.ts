/** What commands on a signing key did, or would do, as people read it. Pure. */
import type { CompromiseEffect, SigningKey } from '../client/client.ts';
import { formatTime } from './time.ts';

export interface Telling {
  /** It would happen, rather than has. */
  readonly isDryRun: boolean;
  readonly nowMs: number;
}

/** Who signs after a suspension, reactivation or rollback, and what became of who did before. */
export function describeNewSigner(before: SigningKey, after: SigningKey, { isDryRun, nowMs }: Telling): string[] {
  const lines: string[] = [];
  if (after.activeVersion === undefined) {
    lines.push(
      `signing key ${after.name} ${isDryRun ? 'would stop' : 'has stopped'} signing; ${describeReturn(after, nowMs)}`,
    );
  } else {
    lines.push(`version ${after.activeVersion} ${isDryRun ? 'would sign' : 'signs now'}, kid ${after.activeKid ?? ''}`);
  }
  const { activeVersion: former } = before;
  if (former !== undefined && former !== after.activeVersion) {
    lines.push(
      `version ${former} ${isDryRun ? 'would be' : 'is'} suspended and stays published: \`keyturn key reactivate ${after.name} ${former}\` brings it back`,
    );
  }
  return lines;
}

function describeReturn({ name, halted, readyTime }: SigningKey, nowMs: number): string {
  if (halted) return `no standby takes over until \`keyturn key reactivate ${name} VERSION\` or \`key rotate ${name}\``;
  return readyTime === undefined
    ? 'it goes on as soon as a standby is known to all verifiers'
    : `it goes on when a standby is known to all verifiers, at ${formatTime(readyTime.getTime(), nowMs)}`;
}

/** What retiring a signing key means, and until when it can be undone. */
export function describeRetirement(after: SigningKey, { isDryRun, nowMs }: Telling): string[] {
  const { name, unretireUntilTime } = after;
  const would = (verb: string, infinitive: string): string => (isDryRun ? `would ${infinitive}` : verb);
  const ends =
    'its private keys are destroyed, each version leaves the key set when its last JWT has expired, and the name is never used again';
  return [
    `signing key ${name} ${would('signs', 'sign')} nothing from now on; JWTs that are out go on verifying`,
    unretireUntilTime === undefined
      ? `it ${would("can't", 'not')} come back (rollback_window): ${ends}`
      : `until ${formatTime(unretireUntilTime.getTime(), nowMs)} \`keyturn key unretire ${name}\` ${would('brings', 'bring')} it back; after that ${ends}`,
  ];
}

/** When the ACTIVE version is replaced, after that was scheduled or taken back. */
export function describeRotationTime(after: SigningKey, { isDryRun, nowMs }: Telling): string[] {
  const { activeVersion, rotationDueTime, scheduledRotationTime } = after;
  if (activeVersion === undefined || rotationDueTime === undefined) return ['no version is ACTIVE'];
  const why = scheduledRotationTime === undefined ? 'by its policy' : 'as scheduled';
  return [
    `version ${activeVersion} ${isDryRun ? 'would be' : 'is'} due to be replaced at ${formatTime(rotationDueTime.getTime(), nowMs)}, ${why}`,
  ];
}

export interface CompromiseTelling extends Telling {
  /** The private keys are kept in the token. */
  readonly isRetained: boolean;
}

/** What a declaration of compromise reaches, signing key by signing key, and what it doesn't. */
export function describeCompromise(effects: readonly CompromiseEffect[], telling: CompromiseTelling): string[] {
  if (effects.length === 0) return ['there is no signing key, so nothing falls'];
  const lines = effects.flatMap((effect) => describeEffect(effect, telling));
  const isAnythingWithdrawn = effects.some((effect) => effect.withdrawnVersions.length > 0);
  return isAnythingWithdrawn ? [...lines, ...WHAT_IT_DOES_NOT_REACH] : lines;
}

const WHAT_IT_DOES_NOT_REACH: readonly string[] = [
  'Verifiers that hold an old copy of the key set accept JWTs of the withdrawn keys until they fetch it anew: at the',
  "latest after the key set's verifierCacheCeiling (keySets in the configuration). A JWT that expires before is no danger.",
];

function describeEffect(effect: CompromiseEffect, { isDryRun, isRetained, nowMs }: CompromiseTelling): string[] {
  const { signingKey, withdrawnVersions, activeVersion, readyTime, lastJwtExpireTime } = effect;
  const lines = [`signing key ${signingKey}:`];
  if (withdrawnVersions.length === 0) {
    lines.push('- nothing falls: it was declared before');
  } else {
    const fate = isRetained ? 'kept in the token as evidence' : 'destroyed';
    const many = withdrawnVersions.length > 1;
    const verb = isDryRun ? 'would be' : many ? 'are' : 'is';
    lines.push(
      `- ${listVersions(withdrawnVersions)} ${verb} withdrawn for good, the private ${many ? 'keys' : 'key'} ${fate}`,
    );
  }
  if (activeVersion !== undefined) {
    lines.push(`- signing ${isDryRun ? 'would go on' : 'goes on'} with version ${activeVersion}`);
  } else {
    const when = readyTime === undefined ? '' : `; it could go on at ${formatTime(readyTime.getTime(), nowMs)}`;
    lines.push(
      `- signing ${isDryRun ? 'would stop' : 'has stopped'}${when}, when a new version is known to all verifiers`,
    );
  }
  if (lastJwtExpireTime !== undefined) {
    const whose = withdrawnVersions.length > 1 ? 'the withdrawn versions' : 'the withdrawn version';
    lines.push(`- the last JWT of ${whose} expires before ${formatTime(lastJwtExpireTime.getTime(), nowMs)}`);
  }
  return lines;
}

/** `version 3`, `versions 1 and 2`, `versions 1, 2 and 3`. */
function listVersions(versions: readonly number[]): string {
  const last = versions.at(-1);
  if (versions.length < 2) return `version ${last ?? ''}`;
  return `versions ${versions.slice(0, -1).join(', ')} and ${last ?? ''}`;
}
