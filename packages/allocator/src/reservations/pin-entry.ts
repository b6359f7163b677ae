/** A PIN as it is kept: hashed, with its validity. */
export interface PinEntry {
  /** HMAC-SHA256 of the PIN under the site's key: 32 bytes. */
  hash: Uint8Array;
  /** From when it opens, in s since 1970. */
  notBeforeS: number;
  /** Until when it opens, in s since 1970. */
  expiresAtS: number;
}

const hashBytes = 32;

/** Hash, then the two times as u32, little-endian. lua/move-many.lua compares the hash, and writes the last one anew. */
export function encodePinEntry({ hash, notBeforeS, expiresAtS }: PinEntry): Buffer {
  const bytes = Buffer.alloc(hashBytes + 8);
  bytes.set(hash);
  bytes.writeUInt32LE(notBeforeS, hashBytes);
  bytes.writeUInt32LE(expiresAtS, hashBytes + 4);
  return bytes;
}

/** Reads what {@link encodePinEntry} wrote. */
export function decodePinEntry(bytes: Buffer): PinEntry {
  return {
    hash: bytes.subarray(0, hashBytes),
    notBeforeS: bytes.readUInt32LE(hashBytes),
    expiresAtS: bytes.readUInt32LE(hashBytes + 4),
  };
}

/** Another end for a PIN, in s since 1970, as lua/move-many.lua takes it. */
export function encodePinEnd(expiresAtS: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(expiresAtS);
  return bytes;
}
