/**
 * The simulation's signatures: no cryptography, yet bound to key and input. 64 octets, as Ed25519 has them: the public
 * key's 32, and a checksum of the signing input in the rest. A simulated verifier refuses another key's signature and
 * a signature of other bytes. Which key a signature is of is found once; each verifier holds that against its own copy.
 */
const KEY_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** FNV-1a, 32 bits. */
function checksum(input: Uint8Array): number {
  let sum = 0x811c9dc5;
  for (const byte of input) sum = Math.imul(sum ^ byte, 0x01000193);
  return sum >>> 0;
}

export function signCheaply(publicKey: Uint8Array, input: Uint8Array): Buffer {
  const signature = Buffer.alloc(SIGNATURE_BYTES);
  signature.set(publicKey.subarray(0, KEY_BYTES));
  signature.writeUInt32BE(checksum(input), KEY_BYTES);
  return signature;
}

/** The public key whose signature of the input it is, base64url as in a JWK; undefined when it is none of that input. */
export function findSigningKey(input: Uint8Array, signature: Buffer): string | undefined {
  if (signature.length !== SIGNATURE_BYTES || signature.readUInt32BE(KEY_BYTES) !== checksum(input)) return undefined;
  return signature.toString('base64url', 0, KEY_BYTES);
}
