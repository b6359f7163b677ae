import { join } from "node:path";
import type { ModeName, Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";

/** A day in ms. Days of the archive are UTC days by the clock of the Redis server. */
export const dayMs = 86_400_000;

/** A day of the archive, `YYYY-MM-DD`. */
export type ArchiveDate = string;

/** The day of a time in ms since 1970. */
export function dateAt(timeMs: number): ArchiveDate {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** When a day begins, in ms since 1970. */
export function startOf(date: ArchiveDate): number {
  return Date.parse(`${date}T00:00:00Z`);
}

/** When a day ends, in ms since 1970. */
export function endOf(date: ArchiveDate): number {
  return startOf(date) + dayMs;
}

/** The paths in the archive's directory. Files are written once, as objects in a bucket. */
export interface ArchiveLayout {
  /** The directory of one network's archive. */
  readonly root: string;
  /** The file with the archive's id. */
  readonly identity: string;
  regionDir(region: Region): string;
  dayDir(region: Region, date: ArchiveDate): string;
  /** The events and reservations of a region's day. */
  data(region: Region, date: ArchiveDate): string;
  /** The data while an attempt writes it. */
  unfinishedData(region: Region, date: ArchiveDate, attempt: string): string;
  /** The index of the data. The day is archived as soon as this file exists. */
  manifest(region: Region, date: ArchiveDate): string;
  /** The manifest while an attempt writes it. */
  unfinishedManifest(region: Region, date: ArchiveDate, attempt: string): string;
  /** The directory of a participant's feed in one network, see feed-file.ts. */
  feedDir(feed: FeedName): string;
  /** The directory of one network's administrative changes, see audit-file.ts. */
  auditDir(mode: ModeName): string;
  /** The directory of a region's index, see handle-index.ts. */
  indexDir(region: Region): string;
}

/** The suffix of files that are being written, and of those that a crash has left. */
export const unfinishedSuffix = ".unfinished";

/** The suffix of files that could not be read back as written. They are kept for investigation. */
export const damagedSuffix = ".damaged";

/** Creates the layout for a network, which its key prefix identifies. */
export function createLayout(directory: string, prefix: string): ArchiveLayout {
  const root = join(directory, prefix);
  const regionDir = (region: Region) => join(root, `region=${region}`);
  const dayDir = (region: Region, date: ArchiveDate) => join(regionDir(region), `date=${date}`);
  return {
    root,
    identity: join(root, "archive.json"),
    regionDir,
    dayDir,
    data: (region, date) => join(dayDir(region, date), "events.ndjson.gz"),
    unfinishedData: (region, date, attempt) => join(dayDir(region, date), `events.ndjson.gz.${attempt}${unfinishedSuffix}`),
    manifest: (region, date) => join(dayDir(region, date), "manifest.json"),
    unfinishedManifest: (region, date, attempt) => join(dayDir(region, date), `manifest.json.${attempt}${unfinishedSuffix}`),
    feedDir: ({ participantId, mode }) => join(root, `log=${participantId}`, `mode=${mode}`),
    auditDir: (mode) => join(root, "audit", `mode=${mode}`),
    indexDir: (region) => join(regionDir(region), "index"),
  };
}

/** The region that a directory's name names, or undefined. */
export function regionOfName(name: string): Region | undefined {
  return /^region=(8[0-9a-f]{5})$/.exec(name)?.[1];
}

/** The day that a directory's name names, or undefined. */
export function dateOfName(name: string): ArchiveDate | undefined {
  return /^date=(\d{4}-\d{2}-\d{2})$/.exec(name)?.[1];
}
