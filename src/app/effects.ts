/**
 * What a command would do, in sentences: officers read them before they approve, and an approval holds for these and no
 * others. So nothing stands in them that changes by itself, such as how long something will take. Pure.
 */
import { sha256Of } from '../access/approval-log.ts';
import type { Finding } from '../lifecycle/reconcile.ts';
import type { CompromiseEffect, ImportOutcome, RecoveryView } from './application.ts';

/** What is beyond is bound by its digest. */
const MAX_SENTENCES = 256;
const MAX_CHARACTERS = 16 * 1024;

export function ofCompromise(effects: readonly CompromiseEffect[], retain: boolean): readonly string[] {
  return bounded(
    effects.flatMap(({ signingKey, withdrawnVersions, activeVersion }) => [
      `signing key ${signingKey}: ${describeWithdrawal(withdrawnVersions, retain)}`,
      activeVersion === undefined
        ? `signing key ${signingKey}: nothing signs afterwards`
        : `signing key ${signingKey}: version ${activeVersion} signs afterwards`,
    ]),
  );
}

function describeWithdrawal(versions: readonly number[], retain: boolean): string {
  const fate = retain ? 'kept in the token' : 'destroyed';
  if (versions.length === 0) return 'nothing is withdrawn that was not before';
  return versions.length === 1
    ? `version ${versions.join('')} is withdrawn for good, its private key ${fate}`
    : `versions ${versions.join(', ')} are withdrawn for good, their private keys ${fate}`;
}

export function ofImport({ importedKey, changed }: ImportOutcome): readonly string[] {
  const { keySet, kid, algorithm, thumbprint, expiresAtMs } = importedKey;
  const until = new Date(expiresAtMs).toISOString();
  return [
    changed
      ? `key set ${keySet}: the public key "${kid}" (${algorithm}, thumbprint ${thumbprint}) is published until ${until}`
      : `key set ${keySet}: the public key "${kid}" is published until ${until} already`,
  ];
}

export function ofRemoval({ importedKey, changed }: ImportOutcome, compromised: boolean): readonly string[] {
  const { keySet, kid, algorithm, thumbprint } = importedKey;
  const asWhat = compromised ? ', and is recorded as compromised' : '';
  return [
    changed
      ? `key set ${keySet}: the public key "${kid}" (${algorithm}, thumbprint ${thumbprint}) leaves for good${asWhat}`
      : `key set ${keySet}: the public key "${kid}" has left already`,
  ];
}

export function ofResolution(
  { kind, ckaId, ckaLabel, signingKey }: Finding,
  action: 'destroy' | 'ignore',
): readonly string[] {
  const does = action === 'destroy' ? 'is destroyed in the token' : 'is left in the token, and fences nothing any more';
  const whose = signingKey === undefined ? '' : `, of signing key ${signingKey}`;
  return [`the object ${ckaId} ("${ckaLabel}"${whose}; ${kind}) ${does}`];
}

export function ofRecovery({ signingKeys, versions, imports, etag }: RecoveryView): readonly string[] {
  return bounded([
    `the plan is ${etag}`,
    ...signingKeys.map(({ name, isCreated, activeVersion }) => {
      const signs = activeVersion === undefined ? 'nothing signs at once' : `version ${activeVersion} signs`;
      return `signing key ${name}${isCreated ? ' is made anew' : ''}: ${signs}`;
    }),
    ...versions.map(({ signingKey = 'none', version = 'none', kid = 'none', ckaId, fate, isPublished }) => {
      const where = isPublished ? 'published' : 'not published';
      return `signing key ${signingKey}, version ${version} (kid ${kid}, object ${ckaId}): ${fate}, ${where}`;
    }),
    ...imports.map(({ keySet, kid, isCompromised }) => {
      return `key set ${keySet}: the imported key "${kid}" ${isCompromised ? 'is withdrawn as compromised' : 'stays'}`;
    }),
  ]);
}

function bounded(sentences: readonly string[]): readonly string[] {
  let characters = 0;
  const isTooMuch = (sentence: string, index: number): boolean => {
    characters += sentence.length;
    return index >= MAX_SENTENCES || characters > MAX_CHARACTERS;
  };
  const end = sentences.findIndex(isTooMuch);
  if (end < 0) return sentences;
  const rest = sentences.slice(end);
  return [...sentences.slice(0, end), `and ${rest.length} more, whose SHA-256 is ${sha256Of(rest.join('\n'))}`];
}
