/**
 * Ed25519 public keys that are no keys: for the eight points of small order, and for encodings that aren't canonical
 * (RFC 8032, section 5.1.3), signatures verify that nobody's private key made. Libraries don't refuse them.
 */

const FIELD = 2n ** 255n - 19n;
/** The curve is −x² + y² = 1 + d·x²·y² with d = −D_NUMERATOR / D_DENOMINATOR. */
const D_NUMERATOR = 121_665n;
const D_DENOMINATOR = 121_666n;
const SIGN_BIT = 2n ** 255n;

/**
 * By the y coordinate alone. Orders 1, 2 and 4 have y = 1, −1 and 0. A point of order 8 doubles to one with y = 0, so
 * x² = −y², and the curve's equation becomes d·y⁴ + 2·y² − 1 = 0.
 */
export function isSmallOrder(encoded: Buffer): boolean {
  const y = BigInt(`0x${Buffer.from(encoded.toReversed()).toString('hex')}`) % SIGN_BIT;
  if (y >= FIELD) return true;
  const square = (y * y) % FIELD;
  if (square <= 1n) return true;
  return (D_NUMERATOR * square * square - 2n * D_DENOMINATOR * square + D_DENOMINATOR) % FIELD === 0n;
}
