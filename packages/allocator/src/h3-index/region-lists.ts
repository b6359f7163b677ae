import type { Keys, RedisConnection } from "@petak/redis";
import { decodeSizeProfile } from "../block/size-profile.ts";
import { decodeOpeningTimes } from "../hours/opening-times.ts";
import { type IndexRegion, RegionProfile } from "./index-region.ts";

/**
 * Reads the lists of regions. A reply holds everything that was appended before it; what was read before is not read again.
 *
 * Blocks, bitmaps and lists are separate keys, and the cache forgets each when the server's invalidation of that key arrives, so that a list in the
 * cache may be older than a block that has just been read. The invariant is:
 *
 * 1. A block is judged by lists that are at least as new as the block. An index that is not in memory is looked up in a reply to a command sent after
 *    the block had arrived, never in the cache ({@link RegionListReader.readAll}).
 * 2. A region is passed over only by size profiles that are at least as new as its bitmap of occupied cells. Whoever reads the bitmap reads the profiles
 *    after it, past the cache, over the same connection in the same round trip.
 * 3. Lists in memory never become shorter, except when all of them are forgotten.
 */
export interface RegionListReader {
  /** Reads what is new in a region's lists, past the cache. Reads them once more where they were forgotten meanwhile. */
  readAll(region: IndexRegion): Promise<void>;
  /** Reads what is new of a region's opening times, past the cache. */
  readOpeningTimes(region: IndexRegion): Promise<void>;
  /** Reads what is new of a region's size profiles, over a connection. */
  readProfiles(connection: RedisConnection, region: IndexRegion): Promise<void>;
}

/** Makes a reader of regions' lists. */
export function createRegionListReader(redis: RedisConnection, keys: Keys): RegionListReader {
  const profileOf = (bytes: Buffer) => new RegionProfile(decodeSizeProfile(bytes));

  async function readProfiles(connection: RedisConnection, { region, lists }: IndexRegion): Promise<void> {
    await readTail(connection, keys.profiles(region), lists.profiles, profileOf);
  }

  async function readOpeningTimes({ region, lists }: IndexRegion): Promise<void> {
    await readTail(redis, keys.openingTimes(region), lists.openingTimes, decodeOpeningTimes);
  }

  return {
    readProfiles,
    readOpeningTimes,
    async readAll(region) {
      for (;;) {
        const { lists } = region;
        await Promise.all([readProfiles(redis, region), readOpeningTimes(region)]);
        if (region.lists === lists) return;
      }
    },
  };
}

/** Appends what a list in Redis has beyond `items`. Replies to concurrent reads overlap; the first that has an item adds it. */
async function readTail<Item>(connection: RedisConnection, key: string, items: Item[], decode: (bytes: Buffer) => Item): Promise<void> {
  const from = items.length;
  const more = await connection.lrangeBuffer(key, from, -1);
  for (let index = items.length - from; index < more.length; index++) items.push(decode(more[index] as Buffer));
}
