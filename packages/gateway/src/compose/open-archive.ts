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
  /** The directory, which all gateways of the store share. */
  directory: string;
  /** How long ended reservations and events stay in the store, in ms: at least 25 h. */
  retentionMs: number;
  /** Pause between two checks for days to archive, in ms. */
  intervalMs: number;
  /** Access to files. Default: the local file system. */
  files?: ArchiveFiles;
  /** The store's clock, in ms. Default: asks the server. */
  serverTimeMs?: () => Promise<number>;
}

export interface OpenArchiveOptions extends Partial<ArchiveOptions> {
  /** The stores, without the archive. */
  records: Records;
  keyPrefix: string;
  now: () => number;
  logger: Logger;
  logFailure: LogFailure;
  metrics: Metrics;
}

/** A gateway's archive. */
export interface OpenArchive {
  /** The stores, extended by what was archived. */
  readonly records: RecordsWithArchive;
  readonly release: Release;
  /** Notes about the archive on the readiness page. */
  notes(): Record<string, string>;
  /**
   * Starts to archive. Returns a function that stops it.
   *
   * @param settle see {@link createArchiver}
   */
  start(settle: (region: Region) => Promise<void>): () => Promise<void>;
}

/** Opens the archive of a gateway. Without a directory nothing is archived, and data that other gateways have archived cannot be read. */
export function openArchive({ records, keyPrefix, now, logger, logFailure, metrics, ...options }: OpenArchiveOptions): OpenArchive {
  const { directory, retentionMs, intervalMs, files = diskFiles, serverTimeMs } = options;
  const layout = directory === undefined ? undefined : createLayout(directory, keyPrefix);
  const reader = layout && createArchiveReader(files, layout);
  /** Failures in the current round, and whether the last complete round failed. */
  let failures = 0;
  let isFailing = false;
  /** Whether a failure of Redis ended the current round. */
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
      records,
      files,
      layout,
      retentionMs,
      now,
      ...(serverTimeMs === undefined ? {} : { serverTimeMs }),
      onArchived: ({ events, reservations, auditEntries }) => {
        metrics.archived.inc({ kind: "event" }, events);
        metrics.archived.inc({ kind: "reservation" }, reservations);
        metrics.archived.inc({ kind: "audit_entry" }, auditEntries);
      },
      onLag: (lagMs) => metrics.archiveLag.set(lagMs / 1000),
      onFailure: (error, region) => {
        if (isStoreFailure(error)) {
          // This says nothing about the archive's files.
          isCutShort = true;
          logFailure("archiving", error);
          return;
        }
        failures++;
        metrics.archiveFailures.inc();
        logger.error({ err: error, ...(region === undefined ? {} : { region }) }, "archiving failed; nothing was deleted from the store");
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
