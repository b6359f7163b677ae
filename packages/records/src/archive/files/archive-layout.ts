import { join } from "node:path";
import type { Region } from "@petak/protocol";
import type { FeedName } from "@petak/redis";

/** A day in ms. The archive's days are those of UTC, by the clock of the server with the records. */
export const dayMs = 86_400_000;

/** A day of the archive, `YYYY-MM-DD`. */
export type ArchiveDate = string;

/** The day in which a time in ms lies. */
export function dateAt(timeMs: number): ArchiveDate {
  return new Date(timeMs).toISOString().slice(0, 10);
}

/** When a day begins, in ms. */
export function startOf(date: ArchiveDate): number {
  return Date.parse(`${date}T00:00:00Z`);
}

/** When a day has ended, in ms. */
export function endOf(date: ArchiveDate): number {
  return startOf(date) + dayMs;
}

/** Where things lie under the archive's directory, as in a bucket of objects that are written once. */
export interface ArchiveLayout {
  /** The directory of one network. */
  readonly root: string;
  /** Says whose archive it is. */
  readonly identity: string;
  regionDir(region: Region): string;
  dayDir(region: Region, date: ArchiveDate): string;
  /** What happened in a region on a day: the one file that people read. */
  data(region: Region, date: ArchiveDate): string;
  /** The same before it counts, by who writes it. */
  unfinishedData(region: Region, date: ArchiveDate, attempt: string): string;
  /** What is in the data and where. The day is archived when it is there. */
  manifest(region: Region, date: ArchiveDate): string;
  unfinishedManifest(region: Region, date: ArchiveDate, attempt: string): string;
  /** The directory of a participant's feed in one of the two networks, see feed-file.ts. */
  feedDir(feed: FeedName): string;
  /** The directory of the runs of a region's index, see handle-index.ts. */
  indexDir(region: Region): string;
}

/** What names that do not count end with. */
export const unfinishedSuffix = ".unfinished";

/** What the names of files end with that were not read back as they had been written. They are kept, for whoever looks into it. */
export const damagedSuffix = ".damaged";

/** The layout under a directory, for a network by its prefix of keys. */
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
    indexDir: (region) => join(regionDir(region), "index"),
  };
}

/** The region of a directory's name, or undefined. */
export function regionOfName(name: string): Region | undefined {
  return /^region=(8[0-9a-f]{5})$/.exec(name)?.[1];
}

/** The day of a directory's name, or undefined. */
export function dateOfName(name: string): ArchiveDate | undefined {
  return /^date=(\d{4}-\d{2}-\d{2})$/.exec(name)?.[1];
}
