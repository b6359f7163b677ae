import type { Region } from "@petak/protocol";
import type { FeedName, Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { type StreamEvent, streamEvent } from "../events/event-stream.ts";

import { packEntry, unpackEntry } from "./event-reference.ts";

/** Some events of a region that are not said to be in the feeds. */
export interface PendingRegion {
  /** The entry up to which all is in the feeds; undefined: nothing is. */
  upTo: string | undefined;
  events: StreamEvent[];
}

/** How far each region's events are in the participants' feeds, as the region's own slot has it. */
export interface RegionProgress {
  /** At most `count` events that are not said to be in the feeds; of those after an entry, where one is given. */
  pending(region: Region, count: number, after?: string): Promise<PendingRegion>;
  /** The last entry of the region that is said to be in each of some feeds; undefined: none. */
  lastOf(region: Region, feeds: readonly FeedName[]): Promise<(string | undefined)[]>;
  /** Every feed that has events of the region, and the last entry in each. */
  allLasts(region: Region): Promise<{ feed: FeedName; entry: string }[]>;
  /** Says that all up to an entry is in the feeds, and which is the last in each feed that had some of it. */
  mark(region: Region, upTo: string, lasts: readonly { feed: FeedName; entry: string }[]): Promise<void>;
}

const pendingScript = createScript("read-pending-events", { isReadOnly: true, isSentAtOnce: true });
const markScript = createScript("advance-feed-watermark", { isSentAtOnce: true });

/** Keeps it in Redis. */
export function createRegionProgress(redis: RedisConnection, keys: Keys, siteIds: SiteIds): RegionProgress {
  return {
    async pending(region, count, after = "") {
      const [, upTo, ...rest] = await pendingScript(redis, [keys.feedWatermarks(region), keys.events(region)], [count, after]);
      const bytes = rest as Buffer[];
      const events = Array.from({ length: bytes.length / 2 }, (_, index) =>
        streamEvent((bytes[2 * index] as Buffer).toString("latin1"), bytes[2 * index + 1] as Buffer, siteIds),
      );
      const packed = upTo as Buffer;
      return { upTo: packed.length === 0 ? undefined : unpackEntry(packed), events };
    },
    async lastOf(region, feeds) {
      if (feeds.length === 0) return [];
      const found = await redis.hmgetBuffer(keys.feedWatermarks(region), ...feeds.map(fieldOf));
      return found.map((bytes) => (bytes === null ? undefined : unpackEntry(bytes)));
    },
    async allLasts(region) {
      const found = await redis.hgetallBuffer(keys.feedWatermarks(region));
      return Object.entries(found).flatMap(([field, bytes]) => (field === "*" ? [] : [{ feed: logIn(field), entry: unpackEntry(bytes) }]));
    },
    async mark(region, upTo, lasts) {
      await markScript(
        redis,
        [keys.feedWatermarks(region)],
        [packEntry(upTo), ...lasts.flatMap(({ feed, entry }) => [fieldOf(feed), packEntry(entry)])],
      );
    },
  };
}

/** Most events are of the live network: its feeds have the shorter names. */
function fieldOf({ participantId, mode }: FeedName): string {
  return mode === "live" ? participantId : `${participantId} ${mode}`;
}

function logIn(field: string): FeedName {
  const [participantId = "", mode] = field.split(" ");
  return { participantId, mode: mode === "test" ? "test" : "live" };
}
