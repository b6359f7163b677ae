import type { Region } from "@petak/protocol";
import type { Records } from "@petak/records";
import {
  type ArchiveFiles,
  createArchiveReader,
  createArchiver,
  createFeedArchive,
  createLayout,
  createRelease,
  diskFiles,
  type RecordsWithArchive,
  type Release,
  requireIdentity,
  withArchive,
} from "@petak/records";
import { isStoreFailure } from "@petak/redis";
import type { LogFailure, Logger } from "../observability/logger.ts";
import type { Metrics } from "../observability/metrics.ts";

/** Where ended reservations and old events go, and when. */
export interface ArchiveOptions {
  /** The directory, which all gateways of the same records share. */
  directory: string;
  /** How long what has ended stays in the records, in ms: at least 25 h. */
  retentionMs: number;
  /** Pause between two looks whether there is something to archive, in ms. */
  intervalMs: number;
  /** The steps on the file system. Default: those of this machine. */
  files?: ArchiveFiles;
  /** The clock of the server with the records, in ms. Default: asks it. */
  serverTimeMs?: () => Promise<number>;
}

/** How an archive is opened. */
export interface OpenArchiveOptions extends Partial<ArchiveOptions> {
  /** The records as they are without the archive. */
  records: Records;
  keyPrefix: string;
  now: () => number;
  logger: Logger;
  logFailure: LogFailure;
  metrics: Metrics;
}

/** A gateway's archive. */
export interface OpenArchive {
  /** The records, and behind them the archive. */
  readonly records: RecordsWithArchive;
  readonly release: Release;
  /** What is to be shown of it beside the gateway's health. */
  notes(): Record<string, string>;
  /**
   * Begins to archive. The function that is given ends it.
   *
   * @param settle see {@link ArchiverOptions}
   */
  start(settle: (region: Region) => Promise<void>): () => Promise<void>;
}

/** Opens the archive of a gateway. Without a directory nothing is archived, and what others have archived cannot be read. */
export function openArchive({ records, keyPrefix, now, logger, logFailure, metrics, ...options }: OpenArchiveOptions): OpenArchive {
  const { directory, retentionMs, intervalMs, files = diskFiles, serverTimeMs } = options;
  const layout = directory === undefined ? undefined : createLayout(directory, keyPrefix);
  const reader = layout && createArchiveReader(files, layout);
  /** What went wrong in the round under way, and whether it did in the last. */
  let failures = 0;
  let isFailing = false;
  /** Whether Redis ended the round under way. */
  let isCutShort = false;
  const archived = withArchive({
    records,
    reader,
    feeds: layout && createFeedArchive(files, layout),
    requireIdentity: async () => {
      if (layout !== undefined) await requireIdentity(files, layout, records.archive);
    },
    now,
    onFailure: (error) => logger.error({ err: error }, "archive"),
  });
  const release = createRelease(records, reader);
  if (layout === undefined || retentionMs === undefined || intervalMs === undefined) {
    return { records: archived, release, notes: () => ({}), start: () => async () => undefined };
  }
  const createOwnArchiver = (settle: (region: Region) => Promise<void>) =>
    createArchiver({
      settle,
      records: records,
      files,
      layout,
      retentionMs,
      now,
      ...(serverTimeMs === undefined ? {} : { serverTimeMs }),
      onArchived: ({ events, reservations }) => {
        metrics.archived.inc({ kind: "event" }, events);
        metrics.archived.inc({ kind: "reservation" }, reservations);
      },
      onLag: (lagMs) => metrics.archiveLag.set(lagMs / 1000),
      onFailure: (error, region) => {
        if (isStoreFailure(error)) {
          // It says nothing about the archive, whose files may be well or not.
          isCutShort = true;
          logFailure("archiving", error);
          return;
        }
        failures++;
        metrics.archiveFailures.inc();
        logger.error({ err: error, ...(region === undefined ? {} : { region }) }, "archiving failed; nothing was taken from the records");
      },
      onRoundEnded: () => {
        if (failures > 0 || !isCutShort) isFailing = failures > 0;
        failures = 0;
        isCutShort = false;
      },
    });
  return {
    records: archived,
    release,
    notes: () => ({ archive: isFailing ? "failing" : "ok" }),
    start: (settle) => createOwnArchiver(settle).start(intervalMs),
  };
}
