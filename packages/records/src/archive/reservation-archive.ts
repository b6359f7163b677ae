import { type Event, PetakError, parseReservationId, type Region } from "@petak/protocol";
import { isStoreFailure } from "@petak/redis";
import { type ReservationWithChain, splitChain } from "../encoding/reservation-record.ts";
import { entryTimeMs, firstEntry, isAfter } from "../encoding/stream-entry.ts";
import { type EventStream, type RecordedEvent, readChain } from "../events/event-stream.ts";
import type { FeedArchive } from "../feeds/feed-store.ts";
import type { ReservationStore } from "../reservations/reservation-store.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveReader } from "./files/archive-reader.ts";
import type { RegionArchive } from "./region-archive.ts";

/** The records that have an archived part. */
export interface ArchivedRecords {
  archive: Pick<RegionArchive, "archivedUntil" | "restore">;
  events: EventStream;
  reservations: ReservationStore;
}

/** The options of {@link withArchive}. */
export interface WithArchiveOptions<Stored extends ArchivedRecords> {
  records: Stored;
  /** Undefined if this gateway has no archive: it cannot read what other gateways have archived. */
  reader: ArchiveReader | undefined;
  /** The archived chunks of participants' feeds. Undefined if this gateway has no archive. */
  feeds?: FeedArchive | undefined;
  /** Throws an ArchiveFailure if the directory is not the archive of the store. */
  requireIdentity: () => Promise<void>;
  /** The gateway's time, in ms since 1970. */
  now: () => number;
  /** Called with a failure to read the archive. */
  onFailure: (failure: unknown) => void;
}

/** Records, and the archived chunks of participants' feeds. */
export type WithArchive<Stored> = Stored & { readonly feedArchive: FeedArchive };

/** When to retry a call that needs the archive while that is unavailable, in ms. */
const retryAfterMs = 5000;

/**
 * Extends records by the archive: archived reservations, chains and events are read as if they were in the store, and a transition of an archived reservation
 * restores it first.
 */
export function withArchive<Stored extends ArchivedRecords>({
  records,
  reader,
  feeds,
  requireIdentity,
  now,
  onFailure,
}: WithArchiveOptions<Stored>): WithArchive<Stored> {
  const { archive, events, reservations } = records;

  /** Reads the archive. Throws ARCHIVE_UNAVAILABLE if that fails: archived data must not appear not to exist. */
  async function read<Result>(work: (reader: ArchiveReader) => Promise<Result>): Promise<Result> {
    return await readFrom(reader, work);
  }

  async function readFrom<Source, Result>(source: Source | undefined, work: (source: Source) => Promise<Result>): Promise<Result> {
    try {
      if (source === undefined)
        throw new ArchiveFailure("unavailable", "this gateway has no archive; set archiveDir to the directory of the other gateways");
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

  /** The archived copies of a reservation, oldest first. */
  async function archived(reservationId: string): Promise<ReservationWithChain[]> {
    const id = parseReservationId(reservationId);
    const untilMs = id === undefined ? 0 : await archive.archivedUntil(id.region);
    if (id === undefined || untilMs === 0) return [];
    return await read(async (from) => {
      const found = await from.find(id.region, id.handle, untilMs);
      // An empty result is valid only in the right directory.
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

  const archivedEventStream: EventStream = {
    ...events,
    async readAfter(region, entry, count) {
      const before: RecordedEvent[] = [];
      for (let place = entry; ; ) {
        const leftCount = count - before.length;
        // In this order: events that were archived before the first read are covered by the second.
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
      // All events before this time are archived, and none has its first entry id.
      return last === firstEntry && untilMs > 0 ? `${untilMs}-0` : last;
    },
    async readAt(region, entries) {
      const [found, untilMs] = await Promise.all([events.readAt(region, entries), archive.archivedUntil(region)]);
      if (found.length === entries.length || entries.every((entry) => entryTimeMs(entry) >= untilMs)) return found;
      const byEntry = new Map(found.map((recorded) => [recorded.entry, recorded]));
      const missing = entries.filter((entry) => !byEntry.has(entry) && entryTimeMs(entry) < untilMs);
      const before = await read((from) => from.readAt(region, missing));
      return entries.flatMap((entry) => byEntry.get(entry) ?? before.get(entry) ?? []);
    },
    async chainEntries(reservationId) {
      const [own, former] = await Promise.all([events.chainEntries(reservationId), archived(reservationId)]);
      if (former.length === 0) return own;
      // The stored copy continues the archived ones, or is another reservation that a repeated request made under the same id.
      const copies = [...former.map(({ chain }) => splitChain(chain)), own];
      const entries = [...new Set(copies.flatMap((copy) => copy.entries))].sort((a, b) => (isAfter(a, b) ? 1 : -1));
      // An earlier copy may list entries that a later one has left out.
      const count = Math.max(...copies.map((copy) => copy.earlierCount + copy.entries.length));
      return { entries, earlierCount: Math.max(0, count - entries.length) };
    },
    chain: async (reservationId): Promise<Event[]> => (await archivedEventStream.countedChain(reservationId)).events,
    countedChain: (reservationId) => readChain(archivedEventStream, reservationId),
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

  return { ...records, events: archivedEventStream, reservations: archivedReservations, feedArchive };
}
