/** Crockford's base32 in lower case. It has no i, l, o and u, so that ids can be read aloud without errors. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** Matches one character of the alphabet. For use in larger regular expressions. */
export const base32Class = "[0-9a-hjkmnp-tv-z]";

/** Encodes an integer in [0, 2^53) without leading zeros. */
export function encodeBase32(value: number): string {
  let rest = value;
  let text = "";
  do {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  } while (rest > 0);
  return text;
}

/** Decodes the result of {@link encodeBase32}. The caller must have checked the characters. */
export function decodeBase32(text: string): number {
  let value = 0;
  for (const character of text) value = value * 32 + alphabet.indexOf(character);
  return value;
}

/** A pool of bytes from the system's random generator. It is filled as a whole, because a small request costs as much as a large one. */
const pool = new Uint8Array(4096);
let unused = 0;

/** A random string from the system's generator, with five bits of entropy per character. `length` is at most 4096. */
export function randomBase32(length: number): string {
  if (length > unused) {
    crypto.getRandomValues(pool);
    unused = pool.length;
  }
  const text = bytesToBase32(pool.subarray(unused - length, unused));
  unused -= length;
  return text;
}

/** Encodes the lower five bits of each byte as one character. */
export function bytesToBase32(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += alphabet.charAt(byte & 31);
  return text;
}

/** The bits of a text in the alphabet, five per character, most significant first, in whole bytes: excess bits at the end are dropped. */
export function packBase32(text: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(Math.floor((text.length * 5) / 8));
  let bits = 0;
  let bitCount = 0;
  let length = 0;
  for (const character of text) {
    bits = ((bits << 5) | alphabet.indexOf(character)) & 0xfff;
    bitCount += 5;
    if (bitCount >= 8) {
      bitCount -= 8;
      bytes[length++] = bits >> bitCount;
    }
  }
  return bytes;
}

/** Reverses {@link packBase32}: one character for each five bits. */
export function unpackBase32(bytes: Uint8Array): string {
  let text = "";
  let bits = 0;
  let bitCount = 0;
  for (const byte of bytes) {
    bits = ((bits << 8) | byte) & 0xfff;
    bitCount += 8;
    while (bitCount >= 5) {
      bitCount -= 5;
      text += alphabet.charAt((bits >> bitCount) & 31);
    }
  }
  return text;
}
