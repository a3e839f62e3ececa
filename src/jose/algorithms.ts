/**
 * The one algorithm registry. It maps a JWS `alg` to its key type, curve, hash, PKCS#11 mechanisms and signature form;
 * nothing else in keyturn switches on `alg`, and a new algorithm is a new row. Which of them a token can do, the token
 * says: docs/reference/algorithms.md lists the same rows.
 * Sources: RFC 7518 (RS, PS, ES), RFC 8812 (ES256K), RFC 8037 and RFC 9864 (EdDSA, Ed25519), RFC 9964 (ML-DSA);
 * PKCS#11 2.40, 3.0 (Edwards curves) and 3.2 (ML-DSA).
 */
import { KeyturnError } from '../base/errors.ts';

export type HashName = 'sha256' | 'sha384' | 'sha512';

interface CommonSpec {
  /** One byte that names the algorithm in worker frames; never reused. */
  readonly code: number;
  /** CKM_… number that makes a key pair. */
  readonly generateMechanism: number;
  /** CKM_… number that signs. */
  readonly signMechanism: number;
}

export interface RsaSpec extends CommonSpec {
  readonly keyType: 'RSA';
  readonly hash: HashName;
  /** `pkcs1`: the token gets DigestInfo; `pss`: the token gets the hash, salt length = hash length. */
  readonly padding: 'pkcs1' | 'pss';
}

export interface EcSpec extends CommonSpec {
  readonly keyType: 'EC';
  readonly curve: 'P-256' | 'P-384' | 'P-521' | 'secp256k1';
  readonly hash: HashName;
  /** Bytes of one coordinate; a signature is R‖S, twice as long (RFC 7518, section 3.4). */
  readonly coordinateBytes: number;
  /** CKA_EC_PARAMS: the curve's OID in DER, in hexadecimal. */
  readonly ecParamsHex: string;
}

export interface OkpSpec extends CommonSpec {
  readonly keyType: 'OKP';
  readonly curve: 'Ed25519';
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
  readonly ecParamsHex: string;
}

/** Algorithm Key Pair (RFC 9964): the key is good for this one algorithm. */
export interface AkpSpec extends CommonSpec {
  readonly keyType: 'AKP';
  readonly akp: 'ML-DSA-44' | 'ML-DSA-65' | 'ML-DSA-87';
  /** CKA_PARAMETER_SET (CKP_ML_DSA_…). */
  readonly parameterSet: number;
  readonly publicKeyBytes: number;
  readonly signatureBytes: number;
}

export type AlgorithmSpec = RsaSpec | EcSpec | OkpSpec | AkpSpec;

const CKM_RSA_PKCS_KEY_PAIR_GEN = 0x0000;
const CKM_RSA_PKCS = 0x0001;
const CKM_RSA_PKCS_PSS = 0x000d;
const CKM_EC_KEY_PAIR_GEN = 0x1040;
const CKM_ECDSA = 0x1041;
const CKM_ML_DSA_KEY_PAIR_GEN = 0x001c;
const CKM_ML_DSA = 0x001d;
const CKM_EC_EDWARDS_KEY_PAIR_GEN = 0x1055;
const CKM_EDDSA = 0x1057;

const rsa = (code: number, hash: HashName, padding: RsaSpec['padding']): RsaSpec => ({
  code,
  keyType: 'RSA',
  hash,
  padding,
  generateMechanism: CKM_RSA_PKCS_KEY_PAIR_GEN,
  signMechanism: padding === 'pss' ? CKM_RSA_PKCS_PSS : CKM_RSA_PKCS,
});

const ec = (
  code: number,
  curve: EcSpec['curve'],
  hash: HashName,
  coordinateBytes: number,
  ecParamsHex: string,
): EcSpec => ({
  code,
  keyType: 'EC',
  curve,
  hash,
  coordinateBytes,
  ecParamsHex,
  generateMechanism: CKM_EC_KEY_PAIR_GEN,
  signMechanism: CKM_ECDSA,
});

const ed25519 = (code: number): OkpSpec => ({
  code,
  keyType: 'OKP',
  curve: 'Ed25519',
  publicKeyBytes: 32,
  signatureBytes: 64,
  // The OID, not the curve name: SoftHSMv2#523.
  ecParamsHex: '06032b6570',
  generateMechanism: CKM_EC_EDWARDS_KEY_PAIR_GEN,
  signMechanism: CKM_EDDSA,
});

/** Sizes: FIPS 204, table 2. The pure form, with an empty context. */
const mlDsa = (
  code: number,
  akp: AkpSpec['akp'],
  parameterSet: number,
  publicKeyBytes: number,
  signatureBytes: number,
): AkpSpec => ({
  code,
  keyType: 'AKP',
  akp,
  parameterSet,
  publicKeyBytes,
  signatureBytes,
  generateMechanism: CKM_ML_DSA_KEY_PAIR_GEN,
  signMechanism: CKM_ML_DSA,
});

const TABLE = {
  RS256: rsa(1, 'sha256', 'pkcs1'),
  RS384: rsa(2, 'sha384', 'pkcs1'),
  RS512: rsa(3, 'sha512', 'pkcs1'),
  PS256: rsa(4, 'sha256', 'pss'),
  PS384: rsa(5, 'sha384', 'pss'),
  PS512: rsa(6, 'sha512', 'pss'),
  ES256: ec(7, 'P-256', 'sha256', 32, '06082a8648ce3d030107'),
  ES384: ec(8, 'P-384', 'sha384', 48, '06052b81040022'),
  ES512: ec(9, 'P-521', 'sha512', 66, '06052b81040023'),
  // One key, two names: RFC 9864 deprecates `EdDSA`, yet 15 of 19 measured verifiers know only that one.
  EdDSA: ed25519(10),
  Ed25519: ed25519(11),
  ES256K: ec(12, 'secp256k1', 'sha256', 32, '06052b8104000a'),
  'ML-DSA-44': mlDsa(13, 'ML-DSA-44', 1, 1_312, 2_420),
  'ML-DSA-65': mlDsa(14, 'ML-DSA-65', 2, 1_952, 3_309),
  'ML-DSA-87': mlDsa(15, 'ML-DSA-87', 3, 2_592, 4_627),
} as const satisfies Record<string, AlgorithmSpec>;

/** A JWS `alg` that keyturn signs with. */
export type Algorithm = keyof typeof TABLE;

export const ALGORITHMS = Object.keys(TABLE) as readonly Algorithm[];

const BY_CODE = new Map<number, Algorithm>(ALGORITHMS.map((name) => [TABLE[name].code, name]));

export function specOf(algorithm: Algorithm): AlgorithmSpec {
  return TABLE[algorithm];
}

export function parseAlgorithm(value: unknown, field = 'algorithm'): Algorithm {
  if (typeof value === 'string' && Object.hasOwn(TABLE, value)) return value as Algorithm;
  throw new KeyturnError('FIELD_INVALID', `${field} must be one of ${ALGORITHMS.join(', ')}`, { field });
}

export function algorithmOfCode(code: number): Algorithm | undefined {
  return BY_CODE.get(code);
}

/** RSA moduli that keyturn makes, in bits. 2048 is the floor of RFC 7518; 3072 gives 128 bits of strength. */
export const RSA_BITS = [2048, 3072, 4096] as const;
export type RsaBits = (typeof RSA_BITS)[number];
export const DEFAULT_RSA_BITS: RsaBits = 3072;

/** What a key pair is made of: fixed for the life of a signing key. */
export interface KeySpec {
  readonly algorithm: Algorithm;
  /** Present exactly for RSA. */
  readonly rsaBits?: RsaBits;
}

export function parseKeySpec(algorithmValue: unknown, rsaBitsValue: unknown): KeySpec {
  const algorithm = parseAlgorithm(algorithmValue);
  if (specOf(algorithm).keyType !== 'RSA') {
    if (rsaBitsValue === undefined || rsaBitsValue === 0) return { algorithm };
    throw new KeyturnError('FIELD_INVALID', `rsa_bits must be absent for ${algorithm}`, { field: 'rsa_bits' });
  }
  if (rsaBitsValue === undefined || rsaBitsValue === 0) return { algorithm, rsaBits: DEFAULT_RSA_BITS };
  const rsaBits = RSA_BITS.find((bits) => bits === rsaBitsValue);
  if (rsaBits !== undefined) return { algorithm, rsaBits };
  throw new KeyturnError('FIELD_INVALID', `rsa_bits must be one of ${RSA_BITS.join(', ')}`, { field: 'rsa_bits' });
}
