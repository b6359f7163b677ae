import type { Region } from "@petak/protocol";
import { ArchiveFailure } from "./archive-failure.ts";
import type { ArchiveDate } from "./archive-layout.ts";
import { requireArchiveVersion } from "./archive-version.ts";

/** A part of a day's file that can be read by itself: one member of the gzip file. */
export interface DayMember {
  /** Where it begins in the file, and its length there. */
  offset: number;
  bytes: number;
  /** Events and reservations in it, and the entries of the first event and the last. */
  events: number;
  reservations: number;
  firstEntry: string;
  lastEntry: string;
}

/** What is in the file of a region's day. */
export interface DayManifest {
  /** The version of the archive's data with which it was written. */
  version: number;
  region: Region;
  date: ArchiveDate;
  /** Who wrote it. */
  attempt: string;
  /** Length and SHA-256, in hexadecimal digits, of the file. */
  bytes: number;
  sha256: string;
  events: number;
  reservations: number;
  members: DayMember[];
}

/** A manifest as it is written. */
export function encodeManifest(manifest: DayManifest): Buffer {
  return Buffer.from(`${JSON.stringify(manifest)}\n`);
}

/** Reads one. Throws an ArchiveFailure where it is not of that day, is none, or is of a version that this release does not read. */
export function decodeManifest(bytes: Buffer, region: Region, date: ArchiveDate): DayManifest {
  let manifest: Partial<DayManifest>;
  try {
    manifest = JSON.parse(bytes.toString()) as Partial<DayManifest>;
  } catch (error) {
    throw new ArchiveFailure("damaged", `the manifest of region ${region}, ${date}, is no JSON`, { cause: error });
  }
  requireArchiveVersion(`the archive of region ${region}, ${date},`, manifest.version);
  if (typeof manifest.version !== "number" || manifest.region !== region || manifest.date !== date || !Array.isArray(manifest.members)) {
    throw new ArchiveFailure("damaged", `the manifest of region ${region}, ${date}, is not one of that day`);
  }
  return manifest as DayManifest;
}
