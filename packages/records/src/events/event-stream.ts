import { type Event, parseReservationId, type Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { decodeEvent, encodeCausedEvent } from "../encoding/event-bytes.ts";
import { type ChainEntries, decodeChain, splitChain } from "../encoding/reservation-record.ts";
import { firstEntry, packEntry } from "../encoding/stream-entry.ts";
import { createScript } from "../lua/create-script.ts";

import { type EventOutline, outlineOf } from "./event-outline.ts";

/** An event and its position in its region's stream. */
export interface RecordedEvent {
  /** The stream's entry id, `<ms>-<number>`. */
  readonly entry: string;
  /** The event, decoded on first access. @throws {Error} if the bytes are no event */
  readonly event: Event;
}

/** An event that was read from a stream. */
export interface StreamEvent extends RecordedEvent {
  readonly bytes: Buffer;
  /** Whose feeds the event belongs to and when it was recorded: read from the bytes without decoding the rest. */
  readonly outline: EventOutline;
}

/** The events of one reservation. */
export interface CountedChain {
  /** Oldest first, at most the latest {@link chainMax}. */
  readonly events: Event[];
  /** The number of earlier events. */
  readonly earlierCount: number;
}

/** The regions' event streams. */
export interface EventStream {
  /** The regions that have or had a site. */
  regions(): Promise<Region[]>;
  /** At most `count` events of a region after an entry, oldest first. */
  readAfter(region: Region, entry: string, count: number): Promise<RecordedEvent[]>;
  /** The last entry of a region's stream. {@link firstEntry} if it is empty. */
  lastEntry(region: Region): Promise<string>;
  /** The entries of one reservation's events. Empty if the reservation does not exist. */
  chainEntries(reservationId: string): Promise<ChainEntries>;
  /** The events at entries of a region, in the given order. Entries that do not exist are left out. */
  readAt(region: Region, entries: readonly string[]): Promise<RecordedEvent[]>;
  /** The events of one reservation, oldest first, at most the latest {@link chainMax}. */
  chain(reservationId: string): Promise<Event[]>;
  /** The same, with the number of earlier events. */
  countedChain(reservationId: string): Promise<CountedChain>;
  /**
   * Records an event that is about no reservation, unless one with the same name was recorded in the region within {@link markerTtlMs}: several gateways may
   * notice the same incident. Returns whether it was recorded.
   */
  appendOnce(region: Region, name: string, event: Event): Promise<boolean>;
}

/** The event streams in Redis, without the archive. */
export interface StoredEventStream extends EventStream {
  readAfter(region: Region, entry: string, count: number): Promise<StreamEvent[]>;
}

/**
 * The most events of one chain that are read. A reservation has about ten; issuing credentials repeatedly makes more. This number of the longest events still
 * fits one response.
 */
export const chainMax = 2000;

/** How long {@link EventStream.appendOnce} recognizes a name, in ms: a week, longer than any incident goes on being noticed. */
export const markerTtlMs = 7 * 24 * 3_600_000;

/** Events that one script reads. It blocks the server while it runs. */
const readBatch = 200;

const readScript = createScript("read-events", { isReadOnly: true });
const appendScript = createScript("append-once");

/** Reads and records events in Redis. */
export function createEventStream(redis: RedisConnection, keys: Keys, siteIds: SiteIds): StoredEventStream {
  const stream: StoredEventStream = {
    regions: () => redis.smembers(keys.regions()),
    async readAfter(region, entry, count) {
      const entries = await redis.xrangeBuffer(keys.events(region), `(${entry}`, "+", "COUNT", count);
      return entries.map(([id, fields]) => streamEvent(id.toString("latin1"), eventBytes(fields), siteIds));
    },
    async lastEntry(region) {
      const [last] = await redis.xrevrange(keys.events(region), "+", "-", "COUNT", 1);
      return last?.[0] ?? firstEntry;
    },
    async chainEntries(reservationId) {
      const id = parseReservationId(reservationId);
      const record = id === undefined ? null : await redis.getBuffer(keys.reservation(id.region, id.handle));
      return splitChain(record === null ? [] : decodeChain(record));
    },
    async readAt(region, entries) {
      const events: RecordedEvent[] = [];
      for (let start = 0; start < entries.length; start += readBatch) {
        const some = entries.slice(start, start + readBatch);
        const [, ...found] = await readScript(redis, [keys.events(region)], [Buffer.concat(some.map(packEntry))]);
        for (const [index, bytes] of (found as Buffer[]).entries()) {
          if (bytes.length > 0) events.push(streamEvent(some[index] as string, bytes, siteIds));
        }
      }
      return events;
    },
    chain: async (reservationId) => (await stream.countedChain(reservationId)).events,
    countedChain: (reservationId) => readChain(stream, reservationId),
    async appendOnce(region, name, event) {
      const [tag] = await appendScript(
        redis,
        [keys.eventMarker(region, name), keys.events(region)],
        [encodeCausedEvent(event, siteIds), markerTtlMs],
      );
      return tag === "done";
    },
  };
  return stream;
}

/** The latest events of a reservation. */
export async function readChain(stream: Pick<EventStream, "chainEntries" | "readAt">, reservationId: string): Promise<CountedChain> {
  const { entries, earlierCount } = await stream.chainEntries(reservationId);
  const latest = entries.slice(-chainMax);
  const region = parseReservationId(reservationId)?.region ?? "";
  const events = (await stream.readAt(region, latest)).map(({ event }) => event);
  return { events, earlierCount: earlierCount + entries.length - latest.length };
}

/** Wraps an event of a stream, to be decoded on first access. */
export function streamEvent(entry: string, bytes: Buffer, siteIds: SiteIds): StreamEvent {
  let event: Event | undefined;
  return {
    entry,
    bytes,
    get outline() {
      return outlineOf(bytes);
    },
    get event() {
      event ??= decodeEvent(bytes, siteIds);
      return event;
    },
  };
}

function eventBytes(fields: Buffer[]): Buffer {
  const [, bytes] = fields;
  if (bytes === undefined) throw new Error("a stream entry has no event");
  return bytes;
}
