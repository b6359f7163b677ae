import { type Event, PetakError, parseReservationId, type Region } from "@petak/protocol";
import { isStoreFailure } from "@petak/redis";
import { type EventStream, firstEntry, isAfter, type RecordedEvent, readChain } from "../events/event-stream.ts";
import type { FeedArchive } from "../feeds/feed-chunks.ts";
import type { Records } from "../records.ts";
import { splitChain } from "../reservations/reservation-record.ts";
import type { ReservationStore } from "../reservations/reservation-store.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveReader } from "./files/archive-reader.ts";
import type { StoredReservation } from "./region-archive.ts";

/** What reading over the border between records and archive needs. */
export interface WithArchiveOptions {
  records: Records;
  /** Undefined where this gateway has no archive: what has left for one cannot be read here. */
  reader: ArchiveReader | undefined;
  /** The same of the participants' feeds. */
  feeds?: FeedArchive | undefined;
  /** Throws an ArchiveFailure where the directory is not the archive of these records. */
  requireIdentity: () => Promise<void>;
  now: () => number;
  onFailure: (failure: unknown) => void;
}

/** The records, and behind them the archive. */
export interface RecordsWithArchive extends Records {
  /** Where chunks of participants' feeds are that have left the records. */
  readonly feedArchive: FeedArchive;
}

/** When a call that needs the archive may come again while it is away, in ms. */
const retryAfterMs = 5000;

/**
 * The same records, and behind them the archive: whoever reads a reservation, its chain or the events of a region gets what has left the records as if
 * it were still there, and whoever records something about a reservation that has left brings it back.
 */
export function withArchive({ records, reader, feeds, requireIdentity, now, onFailure }: WithArchiveOptions): RecordsWithArchive {
  const { archive, events, reservations } = records;

  /** Reads the archive. What goes wrong there is no answer: nothing may look as if it had never been. */
  async function read<Result>(work: (reader: ArchiveReader) => Promise<Result>): Promise<Result> {
    return await readFrom(reader, work);
  }

  async function readFrom<Source, Result>(source: Source | undefined, work: (source: Source) => Promise<Result>): Promise<Result> {
    try {
      if (source === undefined)
        throw new ArchiveFailure("away", "this gateway has no archive; set archiveDir to the one that the others have");
      return await work(source);
    } catch (error) {
      if (isStoreFailure(error)) throw error;
      onFailure(error);
      throw new PetakError("ARCHIVE_UNAVAILABLE", "the requested data is in the archive, which cannot be read now", {
        cause: error,
        retryAfterMs,
      });
    }
  }

  /** What is archived under a reservation's id, oldest first. */
  async function archived(reservationId: string): Promise<StoredReservation[]> {
    const id = parseReservationId(reservationId);
    const untilMs = id === undefined ? 0 : await archive.archivedUntil(id.region);
    if (id === undefined || untilMs === 0) return [];
    return await read(async (from) => {
      const found = await from.find(id.region, id.handle, untilMs);
      // That there is nothing says something only of the right directory.
      if (found.length === 0) await requireIdentity();
      return found;
    });
  }

  async function archivedEvents(region: Region, entry: string, untilMs: number, count: number): Promise<RecordedEvent[]> {
    return await read(async (from) => {
      const found = await from.readAfter(region, entry, untilMs, count);
      if (found.length < count) await requireIdentity();
      return found;
    });
  }

  const archivedFeed: EventStream = {
    ...events,
    async readAfter(region, entry, count) {
      const before: RecordedEvent[] = [];
      for (let place = entry; ; ) {
        const leftCount = count - before.length;
        // In this order: what has left before the first is said by the second.
        const [found, untilMs] = await Promise.all([events.readAfter(region, place, leftCount), archive.archivedUntil(region)]);
        const lastArchived = `${untilMs - 1}-${Number.MAX_SAFE_INTEGER}`;
        if (untilMs === 0 || !isAfter(lastArchived, place)) return [...before, ...found];
        before.push(...(await archivedEvents(region, place, untilMs, leftCount)));
        if (before.length === count) return before;
        place = lastArchived;
      }
    },
    async lastEntry(region) {
      const [last, untilMs] = await Promise.all([events.lastEntry(region), archive.archivedUntil(region)]);
      // Nothing can be recorded at the first instant of a time until which all is archived, or before.
      return last === firstEntry && untilMs > 0 ? `${untilMs}-0` : last;
    },
    async readAt(region, entries) {
      const [found, untilMs] = await Promise.all([events.readAt(region, entries), archive.archivedUntil(region)]);
      if (found.length === entries.length || entries.every((entry) => timeOf(entry) >= untilMs)) return found;
      const byEntry = new Map(found.map((logged) => [logged.entry, logged]));
      const missing = entries.filter((entry) => !byEntry.has(entry) && timeOf(entry) < untilMs);
      const before = await read((from) => from.readAt(region, missing));
      return entries.flatMap((entry) => byEntry.get(entry) ?? before.get(entry) ?? []);
    },
    async chainEntries(reservationId) {
      const [own, former] = await Promise.all([events.chainEntries(reservationId), archived(reservationId)]);
      if (former.length === 0) return own;
      // What is there of it now continues what is archived of it, or is another life under the same id.
      const copies = [...former.map(({ chain }) => splitChain(chain)), own];
      const entries = [...new Set(copies.flatMap((copy) => copy.entries))].sort((a, b) => (isAfter(a, b) ? 1 : -1));
      // What a later copy has left out may stand in an earlier one.
      const count = Math.max(...copies.map((copy) => copy.earlierCount + copy.entries.length));
      return { entries, earlierCount: Math.max(0, count - entries.length) };
    },
    chain: async (reservationId): Promise<Event[]> => (await archivedFeed.countedChain(reservationId)).events,
    countedChain: (reservationId) => readChain(archivedFeed, reservationId),
  };

  const archivedReservations: ReservationStore = {
    ...reservations,
    async find(reservationId) {
      return (await reservations.find(reservationId)) ?? (await archived(reservationId)).at(-1)?.reservation;
    },
    async apply(transition) {
      try {
        return await reservations.apply(transition);
      } catch (error) {
        if (!(error instanceof PetakError) || error.reason !== "RESERVATION_NOT_FOUND") throw error;
        const found = (await archived(transition.before.reservationId)).at(-1);
        if (found === undefined) throw error;
        await archive.restore(found, now());
        return await reservations.apply(transition);
      }
    },
  };

  const feedArchive: FeedArchive = {
    references: (feed, from, count) => readFrom(feeds, (source) => source.references(feed, from, count)),
    times: (feed) => readFrom(feeds, (source) => source.times(feed)),
  };

  return { ...records, events: archivedFeed, reservations: archivedReservations, feedArchive };
}

function timeOf(entry: string): number {
  return Number(entry.slice(0, entry.indexOf("-")));
}
