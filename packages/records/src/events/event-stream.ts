import { type Event, parseReservationId, type Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { packEntry } from "../feeds/event-reference.ts";
import { type ChainEntries, decodeChain, splitChain } from "../reservations/reservation-record.ts";

import { decodeEvent, encodeEvent } from "./event-bytes.ts";
import { type EventOutline, outlineOf } from "./event-outline.ts";

/** An event and its place in its region's stream. */
export interface RecordedEvent {
  /** The stream's entry id, `<ms>-<number>`: a place to go on from. */
  readonly entry: string;
  /** The event, decoded when it is first asked for. */
  readonly event: Event;
}

/** An event as it stands in a stream. */
export interface StreamEvent extends RecordedEvent {
  /** In whose feeds it belongs and when it was recorded: read without the rest when it is asked for. */
  readonly outline: EventOutline;
}

/** The events of one reservation. */
export interface CountedChain {
  /** Oldest first; of more than {@link chainMax} the latest. */
  readonly events: Event[];
  /** How many there are before them. */
  readonly earlierCount: number;
}

/** Before the first entry of a stream. */
export const firstEntry = "0-0";

/** Whether one entry of a stream stands after another. */
export function isAfter(entry: string, other: string): boolean {
  const [timeMs = 0, number = 0] = entry.split("-").map(Number);
  const [otherTimeMs = 0, otherNumber = 0] = other.split("-").map(Number);
  return timeMs > otherTimeMs || (timeMs === otherTimeMs && number > otherNumber);
}

/** The regions' records of what happened. */
export interface EventStream {
  /** Regions that have or had a site. */
  regions(): Promise<Region[]>;
  /** At most `count` events of a region after an entry, oldest first. */
  readAfter(region: Region, entry: string, count: number): Promise<RecordedEvent[]>;
  /** The last entry of a region's stream; {@link firstEntry} where there is none. */
  lastEntry(region: Region): Promise<string>;
  /** Where the events of one reservation are; none where there is no such reservation. */
  chainEntries(reservationId: string): Promise<ChainEntries>;
  /** The events at some entries of a region, in their order. Those that are not there are left out. */
  readAt(region: Region, entries: readonly string[]): Promise<RecordedEvent[]>;
  /** The events of one reservation, oldest first; of more than {@link chainMax} the latest. */
  chain(reservationId: string): Promise<Event[]>;
  /** The same, and how many there are before them. */
  countedChain(reservationId: string): Promise<CountedChain>;
  /**
   * Records an event that is about no reservation, unless one was recorded under the same name in the region within {@link markTtlMs}: several may
   * notice the same thing. Gives whether it was recorded now.
   */
  appendOnce(region: Region, name: string, event: Event): Promise<boolean>;
}

/** The same in Redis alone. */
export interface StreamFeed extends EventStream {
  readAfter(region: Region, entry: string, count: number): Promise<StreamEvent[]>;
}

/**
 * Events of one chain that are read at most. A parcel's life has about ten; whoever asks for credentials without end makes a longer chain,
 * and this many of the longest events still fit one message.
 */
export const chainMax = 2000;

/** How long it is remembered that an event of a name was recorded, in ms: a week, longer than anybody goes on noticing one thing. */
export const markTtlMs = 7 * 24 * 3_600_000;

/** Events asked for in one round trip: a server does nothing else for as long as it looks for them. */
const readAtOnce = 200;

const readScript = createScript("read-events", { isReadOnly: true });
const appendScript = createScript("append-once");

/** Reads events from Redis. */
export function createEventStream(redis: RedisConnection, keys: Keys, siteIds: SiteIds): StreamFeed {
  const feed: StreamFeed = {
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
      for (let start = 0; start < entries.length; start += readAtOnce) {
        const some = entries.slice(start, start + readAtOnce);
        const [, ...found] = await readScript(redis, [keys.events(region)], [Buffer.concat(some.map(packEntry))]);
        for (const [index, bytes] of (found as Buffer[]).entries()) {
          if (bytes.length > 0) events.push(streamEvent(some[index] as string, bytes, siteIds));
        }
      }
      return events;
    },
    chain: async (reservationId) => (await feed.countedChain(reservationId)).events,
    countedChain: (reservationId) => readChain(feed, reservationId),
    async appendOnce(region, name, event) {
      const [tag] = await appendScript(
        redis,
        [keys.eventMarker(region, name), keys.events(region)],
        [encodeEvent(event, siteIds), markTtlMs],
      );
      return tag === "done";
    },
  };
  return feed;
}

/** The latest events of a reservation, from wherever a feed has them. */
export async function readChain(feed: Pick<EventStream, "chainEntries" | "readAt">, reservationId: string): Promise<CountedChain> {
  const { entries, earlierCount } = await feed.chainEntries(reservationId);
  const latest = entries.slice(-chainMax);
  const region = parseReservationId(reservationId)?.region ?? "";
  const events = (await feed.readAt(region, latest)).map(({ event }) => event);
  return { events, earlierCount: earlierCount + entries.length - latest.length };
}

/** An event of a stream, which is decoded when it is asked for. */
export function streamEvent(entry: string, bytes: Buffer, siteIds: SiteIds): StreamEvent {
  let event: Event | undefined;
  return {
    entry,
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
  if (bytes === undefined) throw new Error("a stream entry without an event");
  return bytes;
}
