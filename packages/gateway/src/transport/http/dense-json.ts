/** Most objects, and most commas, of a JSON message: as many as the compartments of sites can have within the longest message, of 41 bytes each. */
const objectsMax = 26_000;
const commasMax = 80_000;

const [brace, comma] = [0x7b, 0x2c];

/**
 * Returns whether a JSON message has so many objects or values that to parse it would hold up everybody else for tenths of a second, although it is not too long.
 * It may also have as many of the characters in its texts, which is as unusual.
 */
export function isDenseJson(bytes: Uint8Array): boolean {
  return hasMore(bytes, brace, objectsMax) || hasMore(bytes, comma, commasMax);
}

function hasMore(bytes: Uint8Array, wanted: number, max: number): boolean {
  if (bytes.byteLength <= max) return false;
  let count = 0;
  for (let at = bytes.indexOf(wanted); at !== -1; at = bytes.indexOf(wanted, at + 1)) {
    count += 1;
    if (count > max) return true;
  }
  return false;
}
