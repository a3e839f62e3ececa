/**
 * Store and token held against each other (rule 9). Pure: it reports, and nothing here repairs. An object of ours that
 * the store doesn't know means an old store: the versions it believes in may have been withdrawn since.
 */
import type { CkaId, SigningKeyName } from '../base/ids.ts';
import { archivedItems } from './archive.ts';
import { isAuditKeyLabel } from './audit-register.ts';
import type { KeyVersion, SigningKeyState } from './signing-key-state.ts';

/** One CKA_ID in the token under our label prefix. */
export interface TokenObject {
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  readonly privateKeys: number;
  readonly publicKeys: number;
}

export type FindingKind =
  /** In the token, unknown to the store. Fences its signing key. */
  | 'orphan'
  /** The store says that it was destroyed; a token restored from a backup has it again. Fences its signing key. */
  | 'resurrected'
  /** The store says that it is in the token; it isn't. */
  | 'missing'
  /** Several private keys with one CKA_ID: nobody can say which would sign. */
  | 'duplicate'
  /** It doesn't sign as its published key says. */
  | 'challengeFailed';

export interface Finding {
  readonly kind: FindingKind;
  readonly ckaId: CkaId;
  readonly ckaLabel: string;
  /** Named by the store, or by the label where the store doesn't know the object. */
  readonly signingKey: string | undefined;
  readonly version: number | undefined;
}

export interface Comparison {
  /** As it was before the token was listed: what was destroyed by then must be gone. */
  readonly before: Iterable<SigningKeyState>;
  /** As it is now: what is known by now is no orphan. */
  readonly now: Iterable<SigningKeyState>;
  readonly objects: readonly TokenObject[];
}

interface Known {
  readonly signingKey: SigningKeyName;
  readonly version: number;
  readonly ckaLabel: string;
  /** Undefined for an intent: the object may be there or not. */
  readonly privateKey: 'present' | 'destroying' | 'destroyed' | undefined;
}

/** Live versions and intents, by CKA_ID. */
function liveObjects(states: readonly SigningKeyState[]): Map<CkaId, Known> {
  const known = new Map<CkaId, Known>();
  for (const { name, versions, intents } of states) {
    for (const version of versions) known.set(version.ckaId, toKnown(name, version));
    for (const { version, ckaId, ckaLabel } of intents) {
      known.set(ckaId, { signingKey: name, version, ckaLabel, privateKey: undefined });
    }
  }
  return known;
}

/** Nothing of them should be in the token: they are gone through only for an object that nothing else explains. */
function findArchivedObject(states: readonly SigningKeyState[], ckaId: CkaId): Known | undefined {
  for (const { name, archive } of states) {
    for (const version of archivedItems(archive)) if (version.ckaId === ckaId) return toKnown(name, version);
  }
  return undefined;
}

function toKnown(signingKey: SigningKeyName, { number, ckaLabel, privateKey }: KeyVersion): Known {
  return { signingKey, version: number, ckaLabel, privateKey };
}

/** The label of a version is `keyturn/NAME/NUMBER`. */
const LABEL = /^keyturn\/([^/]+)\/(\d+)$/;

export function compareWithToken({ before, now, objects }: Comparison): readonly Finding[] {
  const statesNow = [...now];
  const statesBefore = [...before];
  const known = liveObjects(statesNow);
  const knownBefore = liveObjects(statesBefore);
  const findings: Finding[] = [];
  const inToken = new Set<CkaId>();
  for (const { ckaId, ckaLabel, privateKeys } of objects) {
    if (isAuditKeyLabel(ckaLabel)) continue;
    if (privateKeys > 0) inToken.add(ckaId);
    const found = known.get(ckaId) ?? findArchivedObject(statesNow, ckaId);
    if (found === undefined) {
      const [, signingKey, version] = LABEL.exec(ckaLabel) ?? [];
      findings.push({
        kind: 'orphan',
        ckaId,
        ckaLabel,
        signingKey,
        version: version === undefined ? undefined : Number(version),
      });
      continue;
    }
    const { signingKey, version } = found;
    if (privateKeys > 1) findings.push({ kind: 'duplicate', ckaId, ckaLabel, signingKey, version });
    const former = knownBefore.get(ckaId) ?? findArchivedObject(statesBefore, ckaId);
    if (privateKeys > 0 && former?.privateKey === 'destroyed') {
      findings.push({ kind: 'resurrected', ckaId, ckaLabel, signingKey, version });
    }
  }
  for (const [ckaId, { signingKey, version, ckaLabel, privateKey }] of known) {
    const wasPresent = knownBefore.get(ckaId)?.privateKey === 'present';
    if (privateKey === 'present' && wasPresent && !inToken.has(ckaId)) {
      findings.push({ kind: 'missing', ckaId, ckaLabel, signingKey, version });
    }
  }
  return findings;
}
