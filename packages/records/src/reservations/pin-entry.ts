import { accessTokenMaxLifetimeMs } from "@petak/credential";
import type { PinEntry } from "@petak/lifecycle";
import { parseBundleId } from "@petak/protocol";

const hashBytes = 32;

/** How long a bundle's PIN opens at most, from its begin, in s: no longer than the token beside it. */
export const bundlePinLifetimeMaxS = accessTokenMaxLifetimeMs / 1000;

/** Hash, then the two times as u32, little-endian. lua/move-many.lua compares the hash, and writes the last one anew; lua/change-bundle.lua reads the first. */
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

/**
 * Another end for a reservation's PIN, in s since 1970, as lua/move-many.lua takes it: u32, and where the reservation is in a bundle, whose PIN is to last as long,
 * the bundle's handle and u32 of {@link bundlePinLifetimeMaxS}.
 *
 * @param bundleId Empty: it is in none.
 */
export function encodePinEnd(expiresAtS: number, bundleId: string): Buffer {
  const handle = parseBundleId(bundleId)?.handle ?? "";
  const bytes = Buffer.alloc(handle === "" ? 4 : 8 + handle.length);
  bytes.writeUInt32LE(expiresAtS);
  if (handle === "") return bytes;
  bytes.write(handle, 4, "latin1");
  bytes.writeUInt32LE(bundlePinLifetimeMaxS, 4 + handle.length);
  return bytes;
}
