/**
 * The y coordinates of the points whose order divides 8, little-endian as in RFC 8032, including encodings that are not reduced modulo p = 2^255 - 19. The
 * sign bit of x is left out: each is refused with either sign.
 */
const lowOrderY: readonly string[] = [
  // Order 4: y = 0, and y = p, which is 0 again.
  "0000000000000000000000000000000000000000000000000000000000000000",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  // Order 1: y = 1, and y = p + 1.
  "0100000000000000000000000000000000000000000000000000000000000000",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  // Order 2: y = -1.
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  // Order 8.
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
];

const refused = new Set(lowOrderY);

/**
 * Whether an Ed25519 public key is a point of low order. One signature of such a key is valid for many messages, so anybody
 * could sign: it is refused when keys are registered and when signatures are verified. True also for anything that does not have 32 bytes.
 */
export function isLowOrderPoint(publicKey: Uint8Array): boolean {
  if (publicKey.length !== 32) return true;
  let encoding = "";
  for (const [index, byte] of publicKey.entries()) {
    encoding += (index === 31 ? byte & 0x7f : byte).toString(16).padStart(2, "0");
  }
  return refused.has(encoding);
}
