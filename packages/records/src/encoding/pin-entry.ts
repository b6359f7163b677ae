import { accessTokenMaxLifetimeMs } from "@petak/credential";
import type { PinEntry } from "@petak/lifecycle";
import { parseBundleId } from "@petak/protocol";

const hashBytes = 32;

/** How long a bundle's PIN is valid at most, in s: as long as an access token. */
export const bundlePinMaxLifetimeS = accessTokenMaxLifetimeMs / 1000;

/**
 * Encodes a new PIN: the entry that is stored, which has the hash, then begin and end of validity as u32 in s since 1970, little-endian; and the generation of its
 * key as u32. lua/apply-transitions.lua compares the hash and overwrites the end; lua/change-bundle.lua reads the begin.
 */
export function encodePinEntry({ hash, notBeforeS, expiresAtS, keyGeneration = 0 }: PinEntry): Buffer {
  const bytes = Buffer.alloc(hashBytes + 12);
  bytes.set(hash);
  bytes.writeUInt32LE(notBeforeS, hashBytes);
  bytes.writeUInt32LE(expiresAtS, hashBytes + 4);
  bytes.writeUInt32LE(keyGeneration, hashBytes + 8);
  return bytes;
}

/** Decodes a stored PIN entry. */
export function decodePinEntry(bytes: Buffer): PinEntry {
  return {
    hash: bytes.subarray(0, hashBytes),
    notBeforeS: bytes.readUInt32LE(hashBytes),
    expiresAtS: bytes.readUInt32LE(hashBytes + 4),
  };
}

/**
 * Encodes a new end of validity for a reservation's PIN as lua/apply-transitions.lua takes it: u32. In a bundle the bundle's PIN must last as long, so the
 * bundle's handle and {@link bundlePinMaxLifetimeS} as u32 follow.
 *
 * @param expiresAtS in s since 1970
 * @param bundleId "" if the reservation is in no bundle
 */
export function encodePinEnd(expiresAtS: number, bundleId: string): Buffer {
  const handle = parseBundleId(bundleId)?.handle ?? "";
  const bytes = Buffer.alloc(handle === "" ? 4 : 8 + handle.length);
  bytes.writeUInt32LE(expiresAtS);
  if (handle === "") return bytes;
  bytes.write(handle, 4, "latin1");
  bytes.writeUInt32LE(bundlePinMaxLifetimeS, 4 + handle.length);
  return bytes;
}
