import type { Keys, RedisConnection } from "@petak/redis";
import { decodeSizeProfile } from "../block/size-profile.ts";
import { decodeOpeningTimes } from "../hours/opening-times.ts";
import { type IndexRegion, RegionProfile } from "./index-region.ts";

/**
 * Reads region lists. A reply contains everything appended before the command ran; items read earlier are not read again.
 *
 * Blocks, bitmaps and lists are separate keys, and the cache forgets each key when its own invalidation arrives. A cached list may
 * therefore be older than a block that has just been read. Invariants:
 *
 * 1. A block is evaluated with lists at least as new as the block. An index that is not in memory is looked up by a command sent after the
 * block arrived, never in the cache ({@link RegionListReader.readAll}).
 * 2. A region is skipped only by size profiles at least as new as its bitmap of occupied cells. A reader of the bitmap reads the profiles
 * after it, past the cache, over the same connection in the same round trip.
 * 3. Lists in memory never get shorter, except when all of them are forgotten.
 */
export interface RegionListReader {
  /** Reads new items of a region's lists, past the cache. Repeats if the lists were forgotten meanwhile. */
  readAll(region: IndexRegion): Promise<void>;
  /** Reads new items of a region's opening times, past the cache. */
  readOpeningTimes(region: IndexRegion): Promise<void>;
  /** Reads new items of a region's size profiles over a connection. */
  readProfiles(connection: RedisConnection, region: IndexRegion): Promise<void>;
}

/** Creates a reader of region lists. */
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

/** Appends the items of a Redis list that `items` lacks. Concurrent replies overlap; the first one that contains an item appends it. */
async function readTail<Item>(connection: RedisConnection, key: string, items: Item[], decode: (bytes: Buffer) => Item): Promise<void> {
  const from = items.length;
  const more = await connection.lrangeBuffer(key, from, -1);
  for (let index = items.length - from; index < more.length; index++) items.push(decode(more[index] as Buffer));
}
