/**
 * The data versions that a release reads and writes, for one kind of data. A version is a whole number from 1. It is raised only for a change that an
 * earlier release would misread; a field that earlier releases keep or ignore needs no new version. See docs/upgrading.md.
 */
export interface DataVersions {
  /** The oldest version it reads. */
  readonly oldestRead: number;
  /** The newest version it reads. */
  readonly newestRead: number;
  /** The version it writes. Range: [`oldestRead`, `newestRead`]. */
  readonly written: number;
}

/**
 * The versions of the records in Redis. Version 2 has site ids with a store code, and terms ids that are hashes. Version 3 counts what participants make,
 * see ../upgrade/upgrade-store.ts, which rewrites a store of version 2 at the start.
 */
export const storeVersions: DataVersions = { oldestRead: 2, newestRead: 3, written: 3 };

/**
 * The versions of an archive: of its layout, which `archive.json` states, and of each day, which the day's manifest states. Version 2 has the ids of the
 * store's version 2 and the present JSON names.
 */
export const archiveVersions: DataVersions = { oldestRead: 2, newestRead: 2, written: 2 };

/** The version of a store that states none and has no store code: it was written before data stated versions. */
export const unstatedVersion = 1;
