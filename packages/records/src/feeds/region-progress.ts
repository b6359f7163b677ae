import type { Region } from "@petak/protocol";
import type { FeedName, Keys, RedisConnection, SiteIds } from "@petak/redis";
import { packEntry, unpackEntry } from "../encoding/stream-entry.ts";
import { type StreamEvent, streamEvent } from "../events/event-stream.ts";
import { createScript } from "../lua/create-script.ts";

/** Events of a region after its feed watermark. */
export interface PendingEvents {
  /** The feed watermark: the entry up to which all events are in the feeds. Undefined: none are. */
  upTo: string | undefined;
  events: StreamEvent[];
}

/** The feed watermarks of the regions, and for each feed the last entry of a region that it contains. Stored in the region's slot. */
export interface RegionProgress {
  /** At most `count` events after the feed watermark, or after an entry if one is given. */
  pending(region: Region, count: number, after?: string): Promise<PendingEvents>;
  /** The last entry of the region that each of the feeds is known to contain. Undefined: none. */
  lastOf(region: Region, feeds: readonly FeedName[]): Promise<(string | undefined)[]>;
  /** Every feed that contains events of the region, with the last entry that it is known to contain. */
  allLasts(region: Region): Promise<{ feed: FeedName; entry: string }[]>;
  /** Advances the feed watermark to an entry, and records the last entries of the feeds to which events were appended. It never goes back. */
  advance(region: Region, upTo: string, lasts: readonly { feed: FeedName; entry: string }[]): Promise<void>;
}

const pendingScript = createScript("read-pending-events", { isReadOnly: true, isSentAtOnce: true });
const advanceScript = createScript("advance-feed-watermark", { isSentAtOnce: true });

/** Stores the progress in Redis. */
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
      return Object.entries(found).flatMap(([field, bytes]) =>
        field === "*" ? [] : [{ feed: feedOfField(field), entry: unpackEntry(bytes) }],
      );
    },
    async advance(region, upTo, lasts) {
      await advanceScript(
        redis,
        [keys.feedWatermarks(region)],
        [packEntry(upTo), ...lasts.flatMap(({ feed, entry }) => [fieldOf(feed), packEntry(entry)])],
      );
    },
  };
}

/** The hash field of a feed. Most feeds are of the live network, so those have the shorter fields. */
function fieldOf({ participantId, mode }: FeedName): string {
  return mode === "live" ? participantId : `${participantId} ${mode}`;
}

function feedOfField(field: string): FeedName {
  const [participantId = "", mode] = field.split(" ");
  return { participantId, mode: mode === "test" ? "test" : "live" };
}
