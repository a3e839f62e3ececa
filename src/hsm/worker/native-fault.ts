/** What the binding throws, as the number and the function name that PKCS#11 gave. */
import { CKR_UNKNOWN } from '../faults.ts';

export interface NativeFault {
  readonly ckr: number;
  readonly functionName: string;
}

/**
 * By number only: the binding names every code it doesn't know alike, and some calls throw a plain Error whose message
 * alone has the number. CK_RV is an unsigned long; what doesn't fit 32 bits (a module's −1) is unknown.
 */
export function toNativeFault(thrown: unknown): NativeFault {
  const text = thrown instanceof Error ? thrown.message : String(thrown);
  // Where an error names no function, the binding's own frames do: `[as C_GenerateKeyPair]`.
  const stack = thrown instanceof Error ? (thrown.stack ?? '') : '';
  const code =
    isCoded(thrown) && thrown.code > 0 ? thrown.code : Number(/CKR_\w+:(\d+)/.exec(text)?.[1] ?? CKR_UNKNOWN);
  return {
    ckr: code <= CKR_UNKNOWN ? code : CKR_UNKNOWN,
    functionName:
      isNamed(thrown) && thrown.method !== ''
        ? thrown.method
        : (/\bC_\w+/.exec(`${text} ${stack}`)?.[0] ?? 'a PKCS#11 function'),
  };
}

function isCoded(thrown: unknown): thrown is { readonly code: number } {
  return typeof thrown === 'object' && thrown !== null && 'code' in thrown && typeof thrown.code === 'number';
}

function isNamed(thrown: unknown): thrown is { readonly method: string } {
  return typeof thrown === 'object' && thrown !== null && 'method' in thrown && typeof thrown.method === 'string';
}
