import { fromBinary } from "@bufbuild/protobuf";
import { type Event, EventSchema, parseReservationId, type Region } from "@petak/protocol";
import type { Redis } from "ioredis";
import type { Keys } from "../keys.ts";

/** An event and its place in its region's stream. */
export interface LoggedEvent {
  /** The stream's entry id, `<ms>-<number>`: a place to go on from. */
  entry: string;
  event: Event;
}

/** Before the first entry of a stream. */
export const firstEntry = "0-0";

/** The regions' records of what happened. */
export interface EventLog {
  /** Regions that have or had a site. */
  regions(): Promise<Region[]>;
  /** At most `count` events of a region after an entry, oldest first. */
  readAfter(region: Region, entry: string, count: number): Promise<LoggedEvent[]>;
  /** The last entry of a region's stream; {@link firstEntry} where there is none. */
  lastEntry(region: Region): Promise<string>;
  /** The events of one reservation, oldest first. */
  chain(reservationId: string): Promise<Event[]>;
}

/** Reads events from Redis. */
export function createEventLog(redis: Redis, keys: Keys): EventLog {
  return {
    regions: () => redis.smembers(keys.regions()),
    async readAfter(region, entry, count) {
      const entries = await redis.xrangeBuffer(keys.events(region), `(${entry}`, "+", "COUNT", count);
      return entries.map(([id, fields]) => ({ entry: id.toString(), event: decodeEvent(fields) }));
    },
    async lastEntry(region) {
      const [last] = await redis.xrevrange(keys.events(region), "+", "-", "COUNT", 1);
      return last?.[0] ?? firstEntry;
    },
    async chain(reservationId) {
      const id = parseReservationId(reservationId);
      if (id === undefined) return [];
      const entries = await redis.lrange(keys.chain(id.region, id.handle), 0, -1);
      const found = await Promise.all(entries.map((entry) => redis.xrangeBuffer(keys.events(id.region), entry, entry)));
      return found.flatMap((range) => range.map(([, fields]) => decodeEvent(fields)));
    },
  };
}

function decodeEvent(fields: Buffer[]): Event {
  const [, bytes] = fields;
  if (bytes === undefined) throw new Error("a stream entry without an event");
  return fromBinary(EventSchema, bytes);
}
