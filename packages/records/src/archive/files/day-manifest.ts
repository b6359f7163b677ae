import type { Region } from "@petak/protocol";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveDate } from "./archive-layout.ts";
import { requireArchiveVersion } from "./archive-version.ts";

/** A member of a day's gzip file, which can be decompressed alone. */
export interface DayMember {
  /** Its offset in the file. */
  offset: number;
  /** Its compressed length. */
  bytes: number;
  /** The numbers of its events and reservations, and the entries of its first and last event. */
  events: number;
  reservations: number;
  firstEntry: string;
  lastEntry: string;
}

/** The index of a region's day file. */
export interface DayManifest {
  /** The version of the archive's data with which it was written. */
  version: number;
  region: Region;
  date: ArchiveDate;
  /** Identifies the attempt that wrote it. */
  attempt: string;
  /** Length and SHA-256, in hexadecimal digits, of the file. */
  bytes: number;
  sha256: string;
  events: number;
  reservations: number;
  members: DayMember[];
}

/** Encodes a manifest. */
export function encodeManifest(manifest: DayManifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/** Decodes the manifest of a day. @throws {ArchiveFailure} if it is damaged, of another day, or of a version that this release does not read */
export function decodeManifest(bytes: Buffer, region: Region, date: ArchiveDate): DayManifest {
  let manifest: Partial<DayManifest>;
  try {
    manifest = JSON.parse(bytes.toString()) as Partial<DayManifest>;
  } catch (error) {
    throw new ArchiveFailure("damaged", `the manifest of region ${region}, ${date}, is not valid JSON`, { cause: error });
  }
  requireArchiveVersion(`the archive of region ${region}, ${date},`, manifest.version);
  if (typeof manifest.version !== "number" || manifest.region !== region || manifest.date !== date || !Array.isArray(manifest.members)) {
    throw new ArchiveFailure("damaged", `the manifest of region ${region}, ${date}, is of another day`);
  }
  return manifest as DayManifest;
}
