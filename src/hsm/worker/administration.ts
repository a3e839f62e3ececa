/**
 * What the administration session does: make, destroy and list key pairs. It never signs. No secret attribute is ever
 * asked for: the lists below are all that is read, and CKA_VALUE of ML-DSA public keys only.
 */
import pkcs11 from 'pkcs11js';
import { specOf } from '../../jose/algorithms.ts';
import type { AttributeReading } from '../../lifecycle/model.ts';
import { type FoundKey, type GenerateCommand, type MadeKey, fromCkaIdBytes } from '../wire.ts';
import {
  CKK_ML_DSA,
  isTemplateRefusal,
  MAX_RELAXATION,
  privateKeyTemplate,
  publicKeyTemplate,
} from './key-templates.ts';
import { toNativeFault } from './native-fault.ts';
import type { TokenSession } from './token-session.ts';

const BOOLEAN_ATTRIBUTES = [
  ['CKA_TOKEN', pkcs11.CKA_TOKEN],
  ['CKA_PRIVATE', pkcs11.CKA_PRIVATE],
  ['CKA_SENSITIVE', pkcs11.CKA_SENSITIVE],
  ['CKA_EXTRACTABLE', pkcs11.CKA_EXTRACTABLE],
  ['CKA_ALWAYS_SENSITIVE', pkcs11.CKA_ALWAYS_SENSITIVE],
  ['CKA_NEVER_EXTRACTABLE', pkcs11.CKA_NEVER_EXTRACTABLE],
  ['CKA_LOCAL', pkcs11.CKA_LOCAL],
  ['CKA_MODIFIABLE', pkcs11.CKA_MODIFIABLE],
  ['CKA_SIGN', pkcs11.CKA_SIGN],
  ['CKA_SIGN_RECOVER', pkcs11.CKA_SIGN_RECOVER],
  ['CKA_DECRYPT', pkcs11.CKA_DECRYPT],
  ['CKA_UNWRAP', pkcs11.CKA_UNWRAP],
  ['CKA_DERIVE', pkcs11.CKA_DERIVE],
] as const;

const KEY_CLASSES = [pkcs11.CKO_PRIVATE_KEY, pkcs11.CKO_PUBLIC_KEY] as const;

/** How much of the optional template this token refuses; learned once. */
let relaxation = 0;

/** `undefined` when the CKA_ID is on an object already: some tokens would overwrite the older key. */
export function generateKeyPair(session: TokenSession, command: GenerateCommand): MadeKey | undefined {
  if (KEY_CLASSES.some((objectClass) => session.findById(objectClass, command.ckaId).length > 0)) return undefined;
  return readBack(session, generate(session, command));
}

/** `undefined` when there isn't exactly one private and one public key with that CKA_ID. */
export function readKeyPair(session: TokenSession, ckaId: string): MadeKey | undefined {
  const [privateKey, otherPrivateKey] = session.findById(pkcs11.CKO_PRIVATE_KEY, ckaId);
  const [publicKey, otherPublicKey] = session.findById(pkcs11.CKO_PUBLIC_KEY, ckaId);
  if (privateKey === undefined || publicKey === undefined) return undefined;
  if (otherPrivateKey !== undefined || otherPublicKey !== undefined) return undefined;
  return readBack(session, { privateKey, publicKey });
}

/** A public attribute that the key's type doesn't have is undefined. */
function readBack(session: TokenSession, { privateKey, publicKey }: pkcs11.KeyPair): MadeKey {
  const attributes: Record<string, AttributeReading> = {};
  for (const [name, type] of BOOLEAN_ATTRIBUTES) attributes[name] = toBoolean(session.readAttribute(privateKey, type));
  attributes['CKA_KEY_GEN_MECHANISM'] = toNumber(session.readAttribute(privateKey, pkcs11.CKA_KEY_GEN_MECHANISM));
  const isMlDsa = toNumber(session.readAttribute(publicKey, pkcs11.CKA_KEY_TYPE)) === CKK_ML_DSA;
  return {
    attributes,
    ecPoint: session.readAttribute(publicKey, pkcs11.CKA_EC_POINT),
    modulus: session.readAttribute(publicKey, pkcs11.CKA_MODULUS),
    publicExponent: session.readAttribute(publicKey, pkcs11.CKA_PUBLIC_EXPONENT),
    value: isMlDsa ? session.readAttribute(publicKey, pkcs11.CKA_VALUE) : undefined,
  };
}

function generate(session: TokenSession, command: GenerateCommand): pkcs11.KeyPair {
  const mechanism = { mechanism: specOf(command.spec.algorithm).generateMechanism };
  for (let attempt = relaxation; ; attempt += 1) {
    try {
      const pair = session.lib.C_GenerateKeyPair(
        session.session,
        mechanism,
        publicKeyTemplate(command, attempt),
        privateKeyTemplate(command, attempt),
      );
      relaxation = attempt;
      return pair;
    } catch (error) {
      if (
        attempt >= MAX_RELAXATION ||
        !isTemplateRefusal(toNativeFault(error).ckr) ||
        session.reopen({ keepsHandles: true }) !== undefined
      )
        throw error;
    }
  }
}

/** Private objects first: were it cut off in between, what is left can't sign. */
export function destroyKeyPair(session: TokenSession, ckaId: string): number {
  let destroyed = 0;
  for (const objectClass of KEY_CLASSES) {
    for (const handle of session.findById(objectClass, ckaId)) {
      session.lib.C_DestroyObject(session.session, handle);
      destroyed += 1;
    }
  }
  return destroyed;
}

export function listKeys(session: TokenSession): readonly FoundKey[] {
  const keys = new Map<string, FoundKey>();
  for (const objectClass of KEY_CLASSES) {
    const isPrivate = objectClass === pkcs11.CKO_PRIVATE_KEY;
    for (const { ckaId, ckaLabel } of session.findOurs(objectClass)) {
      const known = keys.get(ckaId);
      keys.set(ckaId, {
        ckaId: fromCkaIdBytes(Buffer.from(ckaId, 'hex')),
        ckaLabel: known?.ckaLabel ?? ckaLabel,
        privateKeys: (known?.privateKeys ?? 0) + (isPrivate ? 1 : 0),
        publicKeys: (known?.publicKeys ?? 0) + (isPrivate ? 0 : 1),
      });
    }
  }
  return [...keys.values()];
}

function toBoolean(value: Buffer | undefined): AttributeReading {
  return value?.length === 1 ? value[0] !== 0 : 'unreadable';
}

/** A CK_ULONG in the machine's own (little-endian) form; all ones is CK_UNAVAILABLE_INFORMATION. */
function toNumber(value: Buffer | undefined): AttributeReading {
  if (value === undefined || value.length !== 8) return 'unreadable';
  const number = value.readBigUInt64LE();
  return number <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(number) : 'unreadable';
}
