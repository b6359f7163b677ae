/** Crockford's base 32 in lower case: no i, l, o, u, so that an id survives being read aloud. */
const alphabet = "0123456789abcdefghjkmnpqrstvwxyz";

/** Matches a text of the alphabet. For use inside larger expressions. */
export const base32Class = "[0-9a-hjkmnp-tv-z]";

/** Writes a whole number in [0, 2^53) without leading zeros. */
export function encodeBase32(value: number): string {
  let rest = value;
  let text = "";
  do {
    text = alphabet.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  } while (rest > 0);
  return text;
}

/** Reads what {@link encodeBase32} wrote. The caller has checked the characters. */
export function decodeBase32(text: string): number {
  let value = 0;
  for (const character of text) value = value * 32 + alphabet.indexOf(character);
  return value;
}

/** Random bytes from the system's generator, of which a text takes as many as it has characters: asking for a few costs as much as for many. */
const pool = new Uint8Array(4096);
let unused = 0;

/** A random text of `length` characters, five bits each, from the system's generator. At most 4096 characters. */
export function randomBase32(length: number): string {
  if (length > unused) {
    crypto.getRandomValues(pool);
    unused = pool.length;
  }
  const text = bytesToBase32(pool.subarray(unused - length, unused));
  unused -= length;
  return text;
}

/** A character for each byte, of which the lower five bits count. */
export function bytesToBase32(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += alphabet.charAt(byte & 31);
  return text;
}
