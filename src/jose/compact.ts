/** JWS compact serialization (RFC 7515, sections 5.1 and 7.1). The header is made here, never by a caller. */
import type { Kid } from '../base/ids.ts';
import type { Algorithm } from './algorithms.ts';

/** The JOSE header in base64url. Exactly these members in this order: Kubernetes' ExternalJWTSigner refuses any other. */
export function toProtectedHeader(algorithm: Algorithm, kid: Kid, typ: string): string {
  return Buffer.from(JSON.stringify({ alg: algorithm, kid, typ })).toString('base64url');
}

/** `header` is base64url already; `payload` is the JWT claims set in UTF-8. */
export function toSigningInput(header: string, payload: Uint8Array): Buffer {
  return Buffer.from(`${header}.${view(payload).toString('base64url')}`, 'latin1');
}

export function toCompactJwt(signingInput: Uint8Array, signature: Uint8Array): string {
  return `${view(signingInput).toString('latin1')}.${view(signature).toString('base64url')}`;
}

/** The same bytes as a Buffer, not copied. */
function view(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
