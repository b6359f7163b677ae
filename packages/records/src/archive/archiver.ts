import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { hasEnded } from "@petak/lifecycle";
import { parseReservationId, type Region } from "@petak/protocol";
import { firstEntry } from "../events/event-stream.ts";
import type { Records } from "../records.ts";
import { requireIdentity } from "./archive-identity.ts";
import { deleteEmptyBundles } from "./delete-empty-bundles.ts";
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
import type { StoredEvent, StoredReservation } from "./region-archive.ts";

/** What has been archived. */
export interface ArchivedCounts {
  events: number;
  reservations: number;
}

/** What archiving needs. */
export interface ArchiverOptions {
  records: Pick<Records, "archive" | "bundles" | "events" | "feedChunks">;
  files: ArchiveFiles;
  layout: ArchiveLayout;
  /** How long what has ended stays in the records, in ms, and until the end of its day. */
  retentionMs: number;
  now: () => number;
  /** The clock of the server with the records, in ms. Default: asks it. */
  serverTimeMs?: () => Promise<number>;
  /** Resolves when everything about a region's events that is kept elsewhere is there: what is archived nobody looks for in the records. Default: at once. */
  settle?: (region: Region) => Promise<void>;
  /** See {@link DayToWrite}. */
  memberChars?: number;
  onArchived?: (counts: ArchivedCounts) => void;
  /** Hears how long what should have left for the archive has been waiting at most, in ms, after each round. */
  onLag?: (lagMs: number) => void;
  /** Hears what went wrong with a region, or with all. */
  onFailure: (error: unknown, region?: Region) => void;
  onRoundEnded?: () => void;
}

/** Moves what is old from the records to the archive. */
export interface Archiver {
  /** Goes through all regions once. Gives the number of days that were archived. */
  once(): Promise<number>;
  /** Goes through them again and again, with so many ms between. The function that is given ends it. */
  start(intervalMs: number): () => Promise<void>;
}

/** How long a gateway has a region to itself before it says so again, in ms by the server's clock. */
const leaseMs = 30_000;

/** How long it goes on with its lease before it holds on to it, in ms. */
const renewAfterMs = 10_000;

/** Events that are read at once. */
const eventsAtOnce = 500;

/** Somebody else has the region now. */
class LeaseLost extends Error {}

/**
 * Makes an archiver. A region's events leave in whole days, oldest first, each as one file, and with them the reservations whose last event lies in that day.
 * Any number of gateways may do it; each step is good to be begun anew by another, whatever the last came to:
 *
 * 1. The day is closed, so that nothing can be recorded in it any more.
 * 2. Its file is written and gets its name: see write-day.ts.
 * 3. The region's index gets the reservations in it.
 * 4. The file is read back and compared with its checksum, and member by member with the records: what is in both is taken from the records,
 *    by one script for each member. A bundle of which nothing is left in the records goes too.
 */
export function createArchiver(options: ArchiverOptions): Archiver {
  const { records, files, layout, retentionMs, now, memberChars, onArchived, onLag, onFailure } = options;
  const { archive } = records;
  const { serverTimeMs = () => archive.serverTimeMs() } = options;
  const token = randomUUID();
  const stopping = new AbortController();

  /** The day that a region has to archive next, whose end has passed by so long as things are kept, by both clocks. */
  async function dueDate(region: Region, timeMs: number): Promise<ArchiveDate | undefined> {
    const oldest = await archive.oldest(region);
    if (oldest === undefined) return undefined;
    const date = dateAt(Number.parseInt(oldest, 10));
    return endOf(date) + retentionMs <= timeMs ? date : undefined;
  }

  /** A lease that is held on to while something takes long. */
  function createHolding(region: Region): () => Promise<void> {
    let heldAtMs = performance.now();
    return async () => {
      if (stopping.signal.aborted) throw new LeaseLost();
      if (performance.now() - heldAtMs < renewAfterMs) return;
      if ((await archive.lease(region, token, leaseMs)) === "held") throw new LeaseLost();
      heldAtMs = performance.now();
    };
  }

  async function* entriesOf(region: Region, date: ArchiveDate, holdOn: () => Promise<void>): AsyncGenerator<DayEntry> {
    for (let after = firstEntry; ; ) {
      await holdOn();
      const events = await archive.readOn(region, after, { beforeMs: endOf(date) }, eventsAtOnce);
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

  /** For each event the reservation that ended with it. */
  async function endedWith(region: Region, events: readonly StoredEvent[]): Promise<(StoredReservation | undefined)[]> {
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

  /** Takes from the records what a member has, if the records say the same. */
  async function forgetMember(file: OpenFile, manifest: DayManifest, member: DayMember): Promise<ArchivedCounts> {
    const { region, date } = manifest;
    const lines = await readMember(file, manifest, member);
    const to = { entry: member.lastEntry };
    const events = await archive.readOn(region, firstEntry, to, member.events + 1);
    const reservations = reservationsIn(lines);
    // Taken away before, by one who may have died before it let the bundles go.
    if (events.length === 0) {
      await deleteEmptyBundles(records.bundles, reservations);
      return { events: 0, reservations: 0 };
    }
    if (events.length !== member.events) throw differs(region, date);
    const isSame = lines.filter(isEventLine).every((line, index) => isEventOf(line, events[index] as StoredEvent));
    if (!isSame) throw differs(region, date);
    await compareReservations(manifest, lines, reservations);
    const taken = await archive.forget(region, endOf(date), { entries: events.map(({ entry }) => entry), reservations });
    if (taken === false) throw differs(region, date);
    await deleteEmptyBundles(records.bundles, reservations);
    return { events: events.length, reservations: taken };
  }

  /** Compares the reservations that are still as they were archived with their lines. */
  async function compareReservations(
    { region, date }: DayManifest,
    lines: readonly string[],
    reservations: StoredReservation[],
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

  /** Opens a day's data when it has been read back. Where it cannot be, and the records still have all of the day, it is written anew the next time. */
  async function openChecked(manifest: DayManifest): Promise<OpenFile> {
    let file: OpenFile | undefined;
    try {
      await finishDay(files, layout, manifest);
      file = await openData(files, layout, manifest);
      await checkData(file, manifest);
      return file;
    } catch (error) {
      await file?.close();
      const isWhole = (await archive.archivedUntil(manifest.region)) < endOf(manifest.date);
      if (error instanceof ArchiveFailure && error.kind === "damaged" && isWhole) await discardDay(files, layout, manifest);
      throw error;
    }
  }

  async function archiveDay(region: Region, date: ArchiveDate): Promise<void> {
    const holdOn = createHolding(region);
    if ((await readManifest(files, layout, region, date)) === undefined) {
      await archive.closeUntil(region, endOf(date));
      const day: DayToWrite = { region, date, attempt: randomUUID(), ...(memberChars === undefined ? {} : { memberChars }) };
      await writeDay(files, layout, day, entriesOf(region, date, holdOn));
    }
    const manifest = await readManifest(files, layout, region, date);
    if (manifest === undefined) throw new ArchiveFailure("away", `the manifest of region ${region}, ${date}, has gone`);
    const file = await openChecked(manifest);
    try {
      await ensureIndex(file, manifest);
      for (const member of manifest.members) {
        await holdOn();
        const counts = await forgetMember(file, manifest, member);
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
    if ((await archive.lease(region, token, leaseMs)) === "held") return 0;
    try {
      return await archiveRegion(region, timeMs);
    } catch (error) {
      if (error instanceof LeaseLost) return 0;
      throw error;
    } finally {
      // Where the server is away the lease ends by itself.
      await archive.giveBack(region, token).catch(() => undefined);
    }
  }

  /** How long the oldest of a region should have been in the archive, in ms. */
  async function lagOf(region: Region, timeMs: number): Promise<number> {
    const oldest = await archive.oldest(region);
    if (oldest === undefined) return 0;
    return Math.max(0, timeMs - retentionMs - endOf(dateAt(Number.parseInt(oldest, 10))));
  }

  async function once(): Promise<number> {
    await requireIdentity(files, layout, archive);
    // A clock that is ahead must not make anything look old: what is remembered for repetitions ends by the server's.
    const timeMs = Math.min(now(), await serverTimeMs());
    let count = 0;
    let lagMs = 0;
    for (const region of await records.events.regions()) {
      if (stopping.signal.aborted) return count;
      try {
        count += await underLease(region, timeMs);
      } catch (error) {
        // One region must not keep the others from their archive.
        onFailure(error, region);
      }
      lagMs = Math.max(lagMs, await lagOf(region, timeMs));
    }
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

/** The handle of the reservation that an event is about; empty where it is about none of the region. */
function handleIn(region: Region, stored: StoredEvent): string {
  let reservationId: string;
  try {
    ({ reservationId } = stored.event);
  } catch {
    // It is archived as it is, and of which reservation it speaks nobody can say.
    return "";
  }
  const id = parseReservationId(reservationId);
  return id?.region === region ? id.handle : "";
}

function differs(region: Region, date: ArchiveDate): ArchiveFailure {
  return new ArchiveFailure(
    "damaged",
    `what the archive has of region ${region}, ${date}, is not what the records have; nothing was taken away`,
  );
}
