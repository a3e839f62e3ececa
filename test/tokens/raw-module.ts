/**
 * What a module does by itself when it is asked for what keyturn never asks: the facts behind the daemon's caution. A
 * program of its own, since a module may crash: `raw-module.ts ORDER`, a RawOrder in JSON; prints RawTraits in JSON. The
 * keys that it makes are destroyed.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import pkcs11 from 'pkcs11js';
import { parseCkaId } from '../../src/base/ids.ts';
import { nameFault } from '../../src/hsm/faults.ts';
import { toPublicMembers } from '../../src/hsm/public-members.ts';
import { initializeOptions } from '../../src/hsm/worker/initialize-options.ts';
import { MAX_RELAXATION, privateKeyTemplate, publicKeyTemplate } from '../../src/hsm/worker/key-templates.ts';
import { toNativeFault } from '../../src/hsm/worker/native-fault.ts';
import { unpad } from '../../src/hsm/worker/unpad.ts';
import { type KeySpec, specOf } from '../../src/jose/algorithms.ts';
import { toPublicKey } from '../../src/jose/public-key.ts';
import { verifySignature } from '../../src/jose/signature.ts';
import { toTokenInput } from '../../src/jose/token-input.ts';

export interface RawOrder {
  readonly moduleFile: string;
  readonly moduleParameters: string | undefined;
  readonly label: string;
  readonly pinFile: string;
  /** Private keys of the daemon's making: their secrets are asked for. */
  readonly keys: readonly { readonly ckaId: string; readonly algorithm: string }[];
  /** Key pairs to be made although the token may not list the mechanism. */
  readonly generate: readonly KeySpec[];
}

/** Each says what happened: `refused: CKR_…`, or what the module did instead. */
export interface RawTraits {
  readonly maxSessions: string;
  readonly sameCkaId: string;
  readonly handleAfterDestroy: string;
  readonly handleAfterLogin: string;
  readonly handleAfterSessions: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly generated: Readonly<Record<string, string>>;
}

const ENOUGH_SESSIONS = 256;
const SIGNATURE_BYTES = 512;
/** Every token at hand has RSA; not every one has elliptic curves. */
const RSA: KeySpec = { algorithm: 'RS256', rsaBits: 2048 };
const INPUT = Buffer.from('raw');

const order = JSON.parse(process.argv[2] ?? '') as RawOrder;
const lib = new pkcs11.PKCS11();
lib.load(order.moduleFile);
lib.C_Initialize(initializeOptions(order.moduleParameters));
const slot = requireSlot();

interface Pair extends pkcs11.KeyPair {
  readonly isSignature: (signature: Buffer) => boolean;
}

function requireSlot(): Buffer {
  const isWanted = (candidate: Buffer): boolean => unpad(lib.C_GetTokenInfo(candidate).label) === order.label;
  const found = lib.C_GetSlotList(true).find(isWanted);
  if (found === undefined) throw new Error(`the module shows no token ${order.label}`);
  return found;
}

function open(): Buffer {
  return lib.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION);
}

function logIn(session: Buffer): void {
  lib.C_Login(session, pkcs11.CKU_USER, readFileSync(order.pinFile, 'utf8').trim());
}

function attempt(act: () => string): string {
  try {
    return act();
  } catch (error) {
    return `refused: ${nameFault(toNativeFault(error).ckr)}`;
  }
}

/** As leniently as the daemon at its last attempt. */
function make(session: Buffer, spec: KeySpec, ckaId = randomBytes(16).toString('hex')): pkcs11.KeyPair {
  const command = { ckaId: parseCkaId(ckaId), ckaLabel: 'keyturn-tokens/raw', spec };
  const mechanism = { mechanism: specOf(spec.algorithm).generateMechanism };
  return lib.C_GenerateKeyPair(
    session,
    mechanism,
    publicKeyTemplate(command, MAX_RELAXATION),
    privateKeyTemplate(command, MAX_RELAXATION),
  );
}

function makeRsa(session: Buffer, ckaId?: string): Pair {
  const pair = make(session, RSA, ckaId);
  const read = (type: number): Buffer | undefined => {
    const value = lib.C_GetAttributeValue(session, pair.publicKey, [{ type }])[0]?.value;
    return Buffer.isBuffer(value) ? value : undefined;
  };
  const members = toPublicMembers(RSA, {
    modulus: read(pkcs11.CKA_MODULUS),
    publicExponent: read(pkcs11.CKA_PUBLIC_EXPONENT),
    ecPoint: undefined,
    value: undefined,
  });
  const key = toPublicKey(members);
  return { ...pair, isSignature: (signature) => verifySignature(RSA.algorithm, key, INPUT, signature) };
}

function destroy(session: Buffer, pair: pkcs11.KeyPair): void {
  for (const handle of [pair.privateKey, pair.publicKey]) {
    try {
      lib.C_DestroyObject(session, handle);
    } catch {
      // gone already, or the handle is no longer good
    }
  }
}

function find(session: Buffer, ckaId: string): readonly Buffer[] {
  lib.C_FindObjectsInit(session, [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_PRIVATE_KEY },
    { type: pkcs11.CKA_ID, value: Buffer.from(ckaId, 'hex') },
  ]);
  const found = lib.C_FindObjects(session, 10);
  lib.C_FindObjectsFinal(session);
  return found;
}

/** Whose signature a handle makes that should be worth nothing any more. */
function useStale(session: Buffer, handle: Buffer, own: Pair, others: readonly Pair[]): string {
  return attempt(() => {
    lib.C_SignInit(session, { mechanism: pkcs11.CKM_RSA_PKCS }, handle);
    const input = Buffer.from(toTokenInput(RSA.algorithm, INPUT));
    const signature = Buffer.from(lib.C_Sign(session, input, Buffer.alloc(SIGNATURE_BYTES)));
    if (others.some((other) => other.isSignature(signature))) return 'signs with another key';
    return own.isSignature(signature) ? 'signs with its key' : 'signs with a key unknown';
  });
}

function countSessions(): string {
  const sessions: Buffer[] = [];
  const end = attempt(() => {
    while (sessions.length < ENOUGH_SESSIONS) sessions.push(lib.C_OpenSession(slot, pkcs11.CKF_SERIAL_SESSION));
    return 'and more';
  });
  for (const session of sessions) lib.C_CloseSession(session);
  return `${sessions.length} ${end}`;
}

function trySameCkaId(session: Buffer): string {
  const ckaId = randomBytes(16).toString('hex');
  const first = makeRsa(session, ckaId);
  const said = attempt(() => {
    const second = makeRsa(session, ckaId);
    const found = find(session, ckaId).length;
    destroy(session, second);
    return found === 1 ? 'overwrites the older key' : `${found} keys`;
  });
  destroy(session, first);
  return said;
}

const SECRETS: Readonly<Record<string, number>> = {
  CKA_VALUE: pkcs11.CKA_VALUE,
  CKA_PRIVATE_EXPONENT: pkcs11.CKA_PRIVATE_EXPONENT,
  CKA_PRIME_1: pkcs11.CKA_PRIME_1,
  // What an ML-DSA key is made from (PKCS#11 3.2); missing in the binding's constants.
  CKA_SEED: 0x637,
};

/** What a thief with the PIN would try with a key that keyturn made. */
function trySecrets(session: Buffer, ckaId: string): Record<string, string> {
  const [handle] = find(session, ckaId);
  if (handle === undefined) return { key: 'not found' };
  const read = (type: number): string =>
    attempt(() => {
      const value = lib.C_GetAttributeValue(session, handle, [{ type }])[0]?.value;
      return Buffer.isBuffer(value) && value.length > 0 ? 'RETURNED' : 'empty';
    });
  const loosen = (type: number, value: boolean): string =>
    attempt(() => {
      lib.C_SetAttributeValue(session, handle, [{ type, value }]);
      return 'accepted';
    });
  const copy = (): string =>
    attempt(() => {
      const template = [
        { type: pkcs11.CKA_TOKEN, value: false },
        { type: pkcs11.CKA_SENSITIVE, value: false },
        { type: pkcs11.CKA_EXTRACTABLE, value: true },
      ];
      lib.C_CopyObject(session, handle, template);
      return 'COPIED';
    });
  const readAll = (when: string): [string, string][] =>
    Object.entries(SECRETS).map(([name, type]) => [`${name} ${when}`, read(type)]);
  return Object.fromEntries([
    ...readAll('as made'),
    ['CKA_SENSITIVE=false', loosen(pkcs11.CKA_SENSITIVE, false)],
    ['CKA_EXTRACTABLE=true', loosen(pkcs11.CKA_EXTRACTABLE, true)],
    ['C_CopyObject', copy()],
    ...readAll('after that'),
  ]);
}

function tryAllSecrets(session: Buffer): Record<string, string> {
  const attempts = order.keys.flatMap(({ ckaId, algorithm }) =>
    Object.entries(trySecrets(session, ckaId)).map(([what, outcome]) => [`${algorithm} ${what}`, outcome]),
  );
  return Object.fromEntries(attempts) as Record<string, string>;
}

function tryGenerations(session: Buffer): Record<string, string> {
  return Object.fromEntries(
    order.generate.map((spec) => [
      spec.rsaBits === undefined ? spec.algorithm : `${spec.algorithm}-${spec.rsaBits}`,
      attempt(() => {
        destroy(session, make(session, spec));
        return 'made';
      }),
    ]),
  );
}

function examine(): RawTraits {
  let session = open();
  logIn(session);
  const own = makeRsa(session);
  const gone = makeRsa(session);
  lib.C_DestroyObject(session, gone.privateKey);
  lib.C_DestroyObject(session, gone.publicKey);
  const late = makeRsa(session);
  const handleAfterDestroy = useStale(session, gone.privateKey, gone, [own, late]);
  lib.C_CloseSession(session);
  session = open();
  attempt(() => {
    logIn(session);
    return '';
  });
  const handleAfterSessions = useStale(session, own.privateKey, own, [late]);
  lib.C_CloseSession(session);
  session = open();
  attempt(() => {
    logIn(session);
    return '';
  });
  lib.C_Logout(session);
  logIn(session);
  const handleAfterLogin = useStale(session, late.privateKey, late, [own]);
  return {
    handleAfterDestroy,
    handleAfterSessions,
    handleAfterLogin,
    maxSessions: countSessions(),
    sameCkaId: trySameCkaId(session),
    secrets: tryAllSecrets(session),
    generated: tryGenerations(session),
  };
}

process.stdout.write(`${JSON.stringify(examine())}\n`);
