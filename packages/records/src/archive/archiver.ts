import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { hasEnded } from "@petak/lifecycle";
import { parseReservationId, type Region } from "@petak/protocol";
import type { AuditLog } from "../audit/audit-log.ts";
import { type BundleStore, deleteEmptyBundles } from "../bundles/bundle-store.ts";
import type { ReservationWithChain } from "../encoding/reservation-record.ts";
import { firstEntry } from "../encoding/stream-entry.ts";
import type { EventStream, StreamEvent } from "../events/event-stream.ts";
import type { FeedChunks } from "../feeds/feed-chunks.ts";
import { responseTtlMs } from "../idempotency/stored-response.ts";
import { requireIdentity } from "./archive-identity.ts";
import { archiveAudit } from "./audit-archiver.ts";
import { archiveFeeds } from "./feed-archiver.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./files/archive-files.ts";
import { type ArchiveDate, type ArchiveLayout, dateAt, endOf } from "./files/archive-layout.ts";
import { eventLine, isEventLine, isEventOf, isReservationOf, reservationLine, reservationsIn } from "./files/archive-line.ts";
import type { DayManifest, DayMember } from "./files/day-manifest.ts";
import { coversDay, mergeRuns, runsIn } from "./files/handle-index.ts";
import { indexDay } from "./files/index-day.ts";
import { checkData, openData, readManifest, readMember } from "./files/read-day.ts";
import { type DayEntry, type DayToWrite, discardDay, finishDay, writeDay } from "./files/write-day.ts";
import type { RegionArchive } from "./region-archive.ts";

/** The numbers of archived events and reservations. */
export interface ArchivedCounts {
  events: number;
  reservations: number;
  /** Administrative changes, which stay in the store as well. */
  auditEntries: number;
}

/** The shortest retention, in ms: as long as responses are stored. If a reservation left earlier, a repeated request could create it again. */
export const retentionMinMs = responseTtlMs;

/** The records that are archived. */
export interface ArchivableRecords {
  archive: RegionArchive;
  bundles: Pick<BundleStore, "deleteIfEmpty">;
  events: Pick<EventStream, "regions">;
  feedChunks: FeedChunks;
  auditLog: AuditLog;
}

/** The options of an archiver. */
export interface ArchiverOptions {
  records: ArchivableRecords;
  files: ArchiveFiles;
  layout: ArchiveLayout;
  /** How long ended reservations and events stay in the store after the end of their day, in ms. At least {@link retentionMinMs}. */
  retentionMs: number;
  /** The gateway's time, in ms since 1970. */
  now: () => number;
  /** The time of the Redis server, in ms since 1970. Default: asks the server. */
  serverTimeMs?: () => Promise<number>;
  /** Resolves when a region's events are in all feeds: archived events are not appended to feeds any more. Default: resolves immediately. */
  settle?: (region: Region) => Promise<void>;
  /** See {@link DayToWrite}. */
  memberChars?: number;
  onArchived?: (counts: ArchivedCounts) => void;
  /** Called after each round with the longest time by which archiving is overdue, in ms. */
  onLag?: (lagMs: number) => void;
  /** Called with an error, of one region if it is given. */
  onFailure: (error: unknown, region?: Region) => void;
  onRoundEnded?: () => void;
}

/** Moves old days from the store to the archive. */
export interface Archiver {
  /** Archives all regions once. Returns the number of days that were archived. */
  once(): Promise<number>;
  /** Archives all regions repeatedly, with a pause between. Returns the function that stops that. */
  start(intervalMs: number): () => Promise<void>;
}

/** How long the lease of a region lasts, in ms by the server's clock. */
const leaseMs = 30_000;

/** The age at which a lease is renewed, in ms. */
const renewAfterMs = 10_000;

/** Events that are read at once. */
const eventsBatch = 500;

/** The lease of a region was lost, or the archiver is stopping. */
class LeaseLost extends Error {}

/**
 * Creates an archiver. A region's events are archived in whole days, oldest first, each as one file, together with the reservations whose last event is in that day.
 * Any number of gateways may archive, and another gateway may repeat each step after a crash at any point:
 *
 * 1. The day is closed, so that nothing can be recorded in it any more.
 * 2. Its file is written, see write-day.ts.
 * 3. Its reservations are added to the region's index.
 * 4. The file is read back, verified against its checksum, and compared with the store member by member. What is in both is deleted from the store, by one script
 *    for each member. So is a bundle whose last reservation was deleted.
 */
export function createArchiver(options: ArchiverOptions): Archiver {
  const { records, files, layout, retentionMs, now, memberChars, onArchived, onLag, onFailure } = options;
  const { archive } = records;
  const { serverTimeMs = () => archive.serverTimeMs() } = options;
  const token = randomUUID();
  const stopping = new AbortController();

  /** The region's next day to archive. Undefined if the retention of its oldest day has not passed yet. */
  async function dueDate(region: Region, timeMs: number): Promise<ArchiveDate | undefined> {
    const oldest = await archive.oldest(region);
    if (oldest === undefined) return undefined;
    const date = dateAt(Number.parseInt(oldest, 10));
    return endOf(date) + retentionMs <= timeMs ? date : undefined;
  }

  /** Returns a function that renews the lease of a region if it is old. It throws {@link LeaseLost}. */
  function createLeaseRenewal(region: Region): () => Promise<void> {
    let renewedAtMs = performance.now();
    return async () => {
      if (stopping.signal.aborted) throw new LeaseLost();
      if (performance.now() - renewedAtMs < renewAfterMs) return;
      if ((await archive.lease(region, token, leaseMs)) === "unavailable") throw new LeaseLost();
      renewedAtMs = performance.now();
    };
  }

  async function* entriesOf(region: Region, date: ArchiveDate, renewLease: () => Promise<void>): AsyncGenerator<DayEntry> {
    for (let after = firstEntry; ; ) {
      await renewLease();
      const events = await archive.readBetween(region, after, { beforeMs: endOf(date) }, eventsBatch);
      const ended = await endedWith(region, events);
      for (const [index, event] of events.entries()) {
        const reservation = ended[index];
        yield {
          entry: event.entry,
          eventLine: eventLine(event),
          ...(reservation === undefined ? {} : { reservationLine: reservationLine(reservation) }),
        };
      }
      const last = events.at(-1);
      if (last === undefined) return;
      after = last.entry;
    }
  }

  /** For each event, the reservation that ended with it. */
  async function endedWith(region: Region, events: readonly StreamEvent[]): Promise<(ReservationWithChain | undefined)[]> {
    const pairs = events.map((event) => ({ handle: handleIn(region, event), entry: event.entry }));
    const found = await archive.endingWith(region, pairs);
    return found.map((stored) => (stored !== undefined && hasEnded(stored.reservation) ? stored : undefined));
  }

  async function ensureIndex(file: OpenFile, manifest: DayManifest): Promise<void> {
    const { region, date } = manifest;
    const directory = layout.indexDir(region);
    const { runs } = runsIn(directory, await files.names(directory));
    if (!coversDay(runs, date)) await indexDay(files, layout, file, manifest);
    await mergeRuns(files, directory);
  }

  /** Deletes a member's events and reservations from the store if it has the same. */
  async function deleteMember(file: OpenFile, manifest: DayManifest, member: DayMember): Promise<ArchivedCounts> {
    const { region, date } = manifest;
    const lines = await readMember(file, manifest, member);
    const to = { entry: member.lastEntry };
    const events = await archive.readBetween(region, firstEntry, to, member.events + 1);
    const reservations = reservationsIn(lines);
    // Deleted by a gateway that may have crashed before it deleted the bundles.
    if (events.length === 0) {
      await deleteEmptyBundles(
        records.bundles,
        reservations.map(({ reservation }) => reservation),
      );
      return { events: 0, reservations: 0, auditEntries: 0 };
    }
    if (events.length !== member.events) throw differs(region, date);
    const isSame = lines.filter(isEventLine).every((line, index) => isEventOf(line, events[index] as StreamEvent));
    if (!isSame) throw differs(region, date);
    await compareReservations(manifest, lines, reservations);
    const deleted = await archive.deleteArchived(region, endOf(date), { entries: events.map(({ entry }) => entry), reservations });
    if (deleted === false) throw differs(region, date);
    await deleteEmptyBundles(
      records.bundles,
      reservations.map(({ reservation }) => reservation),
    );
    return { events: events.length, reservations: deleted, auditEntries: 0 };
  }

  /** Compares the reservations that have not changed since they were archived with their lines. */
  async function compareReservations(
    { region, date }: DayManifest,
    lines: readonly string[],
    reservations: ReservationWithChain[],
  ): Promise<void> {
    const ends = reservations.map(({ reservation, chain }) => ({
      handle: parseReservationId(reservation.reservationId)?.handle ?? "",
      entry: chain.at(-1) ?? "",
    }));
    const stored = await archive.endingWith(region, ends);
    for (const [index, line] of lines.filter((other) => !isEventLine(other)).entries()) {
      const own = stored[index];
      if (own !== undefined && !isReservationOf(line, own)) throw differs(region, date);
    }
  }

  /** Opens and verifies a day's data. If that fails and the store still has the whole day, the day is written again in the next round. */
  async function openVerified(manifest: DayManifest): Promise<OpenFile> {
    let file: OpenFile | undefined;
    try {
      await finishDay(files, layout, manifest);
      file = await openData(files, layout, manifest);
      await checkData(file, manifest);
      return file;
    } catch (error) {
      await file?.close();
      const isStillStored = (await archive.archivedUntil(manifest.region)) < endOf(manifest.date);
      if (error instanceof ArchiveFailure && error.kind === "damaged" && isStillStored) await discardDay(files, layout, manifest);
      throw error;
    }
  }

  async function archiveDay(region: Region, date: ArchiveDate): Promise<void> {
    const renewLease = createLeaseRenewal(region);
    if ((await readManifest(files, layout, region, date)) === undefined) {
      await archive.closeUntil(region, endOf(date));
      const day: DayToWrite = { region, date, attempt: randomUUID(), ...(memberChars === undefined ? {} : { memberChars }) };
      await writeDay(files, layout, day, entriesOf(region, date, renewLease));
    }
    const manifest = await readManifest(files, layout, region, date);
    if (manifest === undefined) throw new ArchiveFailure("unavailable", `the manifest of region ${region}, ${date}, is missing`);
    const file = await openVerified(manifest);
    try {
      await ensureIndex(file, manifest);
      for (const member of manifest.members) {
        await renewLease();
        const counts = await deleteMember(file, manifest, member);
        onArchived?.(counts);
      }
    } finally {
      await file.close();
    }
  }

  async function archiveRegion(region: Region, timeMs: number): Promise<number> {
    let count = 0;
    await options.settle?.(region);
    for (let before: ArchiveDate | undefined; ; count++) {
      const date = await dueDate(region, timeMs);
      if (date === undefined) return count;
      if (date === before) throw differs(region, date);
      before = date;
      await archiveDay(region, date);
    }
  }

  async function underLease(region: Region, timeMs: number): Promise<number> {
    if ((await dueDate(region, timeMs)) === undefined) return 0;
    if ((await archive.lease(region, token, leaseMs)) === "unavailable") return 0;
    try {
      return await archiveRegion(region, timeMs);
    } catch (error) {
      if (error instanceof LeaseLost) return 0;
      throw error;
    } finally {
      // If the server is unreachable, the lease expires.
      await archive.releaseLease(region, token).catch(() => undefined);
    }
  }

  /** How long the archiving of a region's oldest day is overdue, in ms. */
  async function lagOf(region: Region, timeMs: number): Promise<number> {
    const oldest = await archive.oldest(region);
    if (oldest === undefined) return 0;
    return Math.max(0, timeMs - retentionMs - endOf(dateAt(Number.parseInt(oldest, 10))));
  }

  async function once(): Promise<number> {
    await requireIdentity(files, layout, archive);
    // The earlier of both clocks: a clock that is ahead must not shorten the retention, and stored responses expire by the server's clock.
    const timeMs = Math.min(now(), await serverTimeMs());
    let count = 0;
    let lagMs = 0;
    for (const region of await records.events.regions()) {
      if (stopping.signal.aborted) return count;
      try {
        count += await underLease(region, timeMs);
      } catch (error) {
        // The failure of one region must not prevent the archiving of others.
        onFailure(error, region);
      }
      lagMs = Math.max(lagMs, await lagOf(region, timeMs));
    }
    const { auditLog } = records;
    const onAuditArchived = (auditEntries: number) => onArchived?.({ events: 0, reservations: 0, auditEntries });
    lagMs = Math.max(lagMs, await archiveAudit({ auditLog, files, layout, onArchived: onAuditArchived, onFailure }, timeMs));
    onLag?.(lagMs);
    await archiveFeeds({ records, files, layout, retentionMs, onFailure }, timeMs);
    return count;
  }

  return {
    once,
    start(intervalMs) {
      const run = async () => {
        while (!stopping.signal.aborted) {
          await once().catch((error: unknown) => onFailure(error));
          options.onRoundEnded?.();
          await pause(intervalMs, undefined, { signal: stopping.signal }).catch(() => undefined);
        }
      };
      const ended = run();
      return async () => {
        stopping.abort();
        await ended;
      };
    },
  };
}

/** The handle of the reservation that an event is about. "" if it is about none of the region. */
function handleIn(region: Region, stored: StreamEvent): string {
  let reservationId: string;
  try {
    ({ reservationId } = stored.event);
  } catch {
    // The event cannot be decoded. It is archived as bytes, without a reservation.
    return "";
  }
  const id = parseReservationId(reservationId);
  return id?.region === region ? id.handle : "";
}

function differs(region: Region, date: ArchiveDate): ArchiveFailure {
  return new ArchiveFailure("damaged", `the archive of region ${region}, ${date}, differs from the store; nothing was deleted`);
}
