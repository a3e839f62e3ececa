/**
 * The simulation's signatures: no cryptography, yet bound to key and input. 64 octets, as Ed25519 has them: the public
 * key's 32, and a checksum of the signing input in the rest. A simulated verifier refuses another key's signature and
 * a signature of other bytes.
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

export function isSignedCheaply(publicKey: Uint8Array, input: Uint8Array, signature: Buffer): boolean {
  if (signature.length !== SIGNATURE_BYTES || signature.readUInt32BE(KEY_BYTES) !== checksum(input)) return false;
  return signature.compare(publicKey, 0, KEY_BYTES, 0, KEY_BYTES) === 0;
}
