/**
 * The templates of a new key pair. Everything is set at creation, because many tokens refuse changes later; usages are
 * set to false by name, because the defaults allow decryption, unwrapping and more. A private key has no CKA_WRAP.
 */
import pkcs11 from 'pkcs11js';
import { specOf } from '../../jose/algorithms.ts';
import type { GenerateCommand } from '../wire.ts';

/** Missing in the binding's constants. */
const CKK_EC_EDWARDS = 0x40;
export const CKK_ML_DSA = 0x4a;
const CKA_PARAMETER_SET = 0x61d;
const CKA_COPYABLE = 0x171;
/** F4. */
const PUBLIC_EXPONENT = Buffer.from([0x01, 0x00, 0x01]);

type Attribute = { readonly type: number; readonly value: number | boolean | string | Buffer };

interface OptionalGroup {
  readonly privateKey: readonly Attribute[];
  readonly publicKey: readonly Attribute[];
}

/**
 * What a token may refuse and a key may do without, the least valuable first. The four attributes that prove a birth are
 * never left out, and what is left out is read back all the same.
 */
const OPTIONAL: readonly OptionalGroup[] = [
  { privateKey: [{ type: CKA_COPYABLE, value: false }], publicKey: [] },
  { privateKey: [{ type: pkcs11.CKA_MODIFIABLE, value: false }], publicKey: [] },
  { privateKey: [{ type: pkcs11.CKA_SIGN_RECOVER, value: false }], publicKey: [] },
  {
    // TPM2 knows one kind of key, for signing and decryption both, and refuses a template that says otherwise.
    privateKey: [
      { type: pkcs11.CKA_DECRYPT, value: false },
      { type: pkcs11.CKA_UNWRAP, value: false },
      { type: pkcs11.CKA_DERIVE, value: false },
    ],
    publicKey: [
      { type: pkcs11.CKA_ENCRYPT, value: false },
      { type: pkcs11.CKA_WRAP, value: false },
    ],
  },
];

/** Which groups each attempt leaves out, as bits: as few as possible, and of as little value as possible. */
const ATTEMPTS: readonly number[] = Array.from({ length: 1 << OPTIONAL.length }, (_, bits) => bits).toSorted(
  (left, right) => countBits(left) - countBits(right) || left - right,
);

/** The last attempt: with nothing that is optional. */
export const MAX_RELAXATION = ATTEMPTS.length - 1;

function countBits(bits: number): number {
  return OPTIONAL.filter((_, index) => (bits & (1 << index)) !== 0).length;
}

function optionalOf(half: keyof OptionalGroup, relaxation: number): readonly Attribute[] {
  const leftOut = ATTEMPTS[relaxation] ?? 0;
  return OPTIONAL.filter((_, index) => (leftOut & (1 << index)) === 0).flatMap((group) => group[half]);
}

/** Codes by which a token says that it dislikes a template (TPM2: 0x5 for DECRYPT=false). */
const TEMPLATE_REFUSALS: ReadonlySet<number> = new Set([0x05, 0x06, 0x10, 0x12, 0x13, 0xd1]);

export function isTemplateRefusal(ckr: number): boolean {
  return TEMPLATE_REFUSALS.has(ckr);
}

function keyTypeOf({ spec }: GenerateCommand): number {
  switch (specOf(spec.algorithm).keyType) {
    case 'RSA':
      return pkcs11.CKK_RSA;
    case 'EC':
      return pkcs11.CKK_EC;
    case 'OKP':
      return CKK_EC_EDWARDS;
    case 'AKP':
      return CKK_ML_DSA;
  }
}

function common(command: GenerateCommand): Attribute[] {
  return [
    { type: pkcs11.CKA_KEY_TYPE, value: keyTypeOf(command) },
    { type: pkcs11.CKA_TOKEN, value: true },
    { type: pkcs11.CKA_ID, value: Buffer.from(command.ckaId, 'hex') },
    { type: pkcs11.CKA_LABEL, value: command.ckaLabel },
  ];
}

export function privateKeyTemplate(command: GenerateCommand, relaxation: number): pkcs11.Template {
  return [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_PRIVATE_KEY },
    ...common(command),
    { type: pkcs11.CKA_PRIVATE, value: true },
    { type: pkcs11.CKA_SENSITIVE, value: true },
    { type: pkcs11.CKA_EXTRACTABLE, value: false },
    { type: pkcs11.CKA_SIGN, value: true },
    ...optionalOf('privateKey', relaxation),
  ];
}

export function publicKeyTemplate(command: GenerateCommand, relaxation: number): pkcs11.Template {
  return [
    { type: pkcs11.CKA_CLASS, value: pkcs11.CKO_PUBLIC_KEY },
    ...common(command),
    { type: pkcs11.CKA_PRIVATE, value: false },
    { type: pkcs11.CKA_VERIFY, value: true },
    ...optionalOf('publicKey', relaxation),
    ...keyMaterial(command),
  ];
}

/** What says which key to make. */
function keyMaterial({ spec: { algorithm, rsaBits } }: GenerateCommand): readonly Attribute[] {
  const spec = specOf(algorithm);
  switch (spec.keyType) {
    case 'RSA':
      return [
        { type: pkcs11.CKA_MODULUS_BITS, value: rsaBits ?? 0 },
        { type: pkcs11.CKA_PUBLIC_EXPONENT, value: PUBLIC_EXPONENT },
      ];
    case 'EC':
    case 'OKP':
      return [{ type: pkcs11.CKA_EC_PARAMS, value: Buffer.from(spec.ecParamsHex, 'hex') }];
    case 'AKP':
      return [{ type: CKA_PARAMETER_SET, value: spec.parameterSet }];
  }
}
