/** The registry's rows as the binding wants its mechanisms. */
import pkcs11 from 'pkcs11js';
import type { AlgorithmSpec, HashName, RsaSpec } from '../../jose/algorithms.ts';

const PSS: Readonly<Record<HashName, { readonly hashAlg: number; readonly mgf: number; readonly saltLen: number }>> = {
  sha256: { hashAlg: pkcs11.CKM_SHA256, mgf: pkcs11.CKG_MGF1_SHA256, saltLen: 32 },
  sha384: { hashAlg: pkcs11.CKM_SHA384, mgf: pkcs11.CKG_MGF1_SHA384, saltLen: 48 },
  sha512: { hashAlg: pkcs11.CKM_SHA512, mgf: pkcs11.CKG_MGF1_SHA512, saltLen: 64 },
};

/** Without a parameter but for PSS, whose salt is as long as the hash (RFC 7518, section 3.5). */
export function signMechanism(spec: AlgorithmSpec): pkcs11.Mechanism {
  if (spec.keyType !== 'RSA' || spec.padding !== 'pss') return { mechanism: spec.signMechanism };
  return { mechanism: spec.signMechanism, parameter: pssParameter(spec) };
}

function pssParameter(spec: RsaSpec): pkcs11.RsaPSS {
  return { type: pkcs11.CK_PARAMS_RSA_PSS, ...PSS[spec.hash] };
}
