/**
 * What the token says to a store that may have forgotten something: every object of ours that the store doesn't know, read
 * back and tried. An object under our label proves nothing: whoever has the PIN can put one there.
 */
import { KeyturnError, toKeyturnError } from '../base/errors.ts';
import { type CkaId, parseSigningKeyName, type SigningKeyName } from '../base/ids.ts';
import type { Hsm, TokenKey } from '../hsm/hsm.ts';
import { type KeySpec, parseKeySpec } from '../jose/algorithms.ts';
import { toKid } from '../jose/thumbprint.ts';
import { isDoubtful, unexplainedObjects } from '../lifecycle/fence.ts';
import { compareWithToken, type Finding } from '../lifecycle/reconcile.ts';
import type { Proof } from '../lifecycle/recover.ts';
import type { ProposedSigningKey } from './application.ts';
import type { Ledger } from './ledger.ts';

/** What the token says, asked once: the decision is made from it, and made again at the commit. */
export interface Survey {
  readonly objects: readonly TokenKey[];
  readonly findings: readonly Finding[];
  readonly proofs: ReadonlyMap<CkaId, Proof>;
}

/** Errors: TOKEN_UNAVAILABLE; COMMAND_NOT_POSSIBLE when there is no doubt. */
export async function surveyToken(
  ports: { readonly ledger: Ledger; readonly hsm: Hsm },
  wanted: readonly ProposedSigningKey[],
): Promise<Survey> {
  const { ledger, hsm } = ports;
  const before = [...ledger.signingKeys.values()];
  const objects = await hsm.listKeys();
  const findings = compareWithToken({ before, now: ledger.signingKeys.values(), objects });
  if (!isDoubtful({ findings, token: ledger.token })) {
    throw new KeyturnError(
      'COMMAND_NOT_POSSIBLE',
      'there is nothing to recover: the store explains every object in the token, and was not restored',
    );
  }
  const proofs = new Map<CkaId, Proof>();
  for (const { ckaId, signingKey } of unknownObjects(ledger, findings, objects)) {
    const name = toName(signingKey);
    if (name === undefined) continue;
    const spec = ledger.signingKeys.get(name)?.spec ?? specOf(requireWanted(wanted, name));
    proofs.set(ckaId, await proveObject(hsm, ckaId, spec));
  }
  return { objects, findings, proofs };
}

export type UnknownObject = Pick<Finding, 'ckaId' | 'ckaLabel' | 'signingKey' | 'version'>;

/** Orphans, and what an intent without a result left in the token: the version may have been made and used since. */
export function unknownObjects(
  ledger: Ledger,
  findings: readonly Finding[],
  objects: readonly TokenKey[],
): readonly UnknownObject[] {
  const inToken = new Set(objects.filter(({ privateKeys }) => privateKeys > 0).map(({ ckaId }) => ckaId));
  const intended = [...ledger.signingKeys.values()].flatMap(({ name, intents }) =>
    intents.filter(({ ckaId }) => inToken.has(ckaId)).map((intent) => ({ ...intent, signingKey: name })),
  );
  const orphans = unexplainedObjects({ findings, token: ledger.token }).filter(({ kind }) => kind === 'orphan');
  return [...orphans, ...intended];
}

/** Undefined when a label names nothing that could be a signing key. */
export function toName(text: string | undefined): SigningKeyName | undefined {
  try {
    return text === undefined ? undefined : parseSigningKeyName(text);
  } catch {
    return undefined;
  }
}

export function requireWanted(wanted: readonly ProposedSigningKey[], name: SigningKeyName): ProposedSigningKey {
  const found = wanted.find((candidate) => candidate.name === name);
  if (found !== undefined) return found;
  throw new KeyturnError(
    'FIELD_INVALID',
    `the token holds keys of signing key ${name}, which the store doesn't know: give its policy with a signing keys file that names it (--policy), or decide about each object with keyturn token resolve`,
    { field: 'signing_keys', subject: name },
  );
}

function specOf({ algorithm, rsaBits }: ProposedSigningKey): KeySpec {
  return parseKeySpec(algorithm, rsaBits);
}

/** Errors: TOKEN_UNAVAILABLE; TOKEN_OPERATION_FAILED when the token can't say: that is no proof of anything. */
async function proveObject(hsm: Hsm, ckaId: CkaId, spec: KeySpec): Promise<Proof> {
  try {
    const { publicKey, birth } = await hsm.readKeyPair({ ckaId, spec });
    await hsm.tryKey({ ckaId, algorithm: spec.algorithm, publicKey });
    return { kid: toKid(publicKey), publicKey, birth };
  } catch (thrown) {
    const { reason, message } = toKeyturnError(thrown);
    if (reason === 'KEY_NOT_PROVEN' || reason === 'SIGNATURE_INVALID')
      return { objection: `not a proven ${spec.algorithm} key: ${message}` };
    if (reason !== 'TOKEN_OPERATION_FAILED') throw thrown;
    throw new KeyturnError(
      'TOKEN_OPERATION_FAILED',
      `the token can't try its key with CKA_ID ${ckaId}: ${message}; try again, or decide about it with keyturn token resolve`,
      { cause: thrown },
    );
  }
}
