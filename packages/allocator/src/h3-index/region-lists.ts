import type { Keys, RedisConnection } from "@petak/redis";
import type { IndexRegion } from "./index-region.ts";
import type { ReadEntry, RegionList } from "./region-list.ts";

/**
 * Reads region lists. A reply contains every entry that existed when the command ran and was added after those read earlier.
 *
 * Blocks, bitmaps and lists are separate keys, and the cache forgets each key when its own invalidation arrives. A cached list may
 * therefore be older than a block that has just been read, and newer than one that was read before. Invariants:
 *
 * 1. A block is evaluated only with entries that it names. A number that is not in memory is looked up by a command sent after the block arrived, never
 * in the cache ({@link RegionListReader.readAll}). If it is not in the store either, the block has changed since it was read, and is read again.
 * 2. A region is skipped only by size profiles at least as new as its bitmap of occupied cells. A reader of the bitmap reads the profiles
 * after it, past the cache, over the same connection in the same round trip. Entries in memory that were deleted only make it skip fewer regions.
 * 3. A number means the same entry in memory and in the block that is evaluated. What is in memory is not older: a number is given away again later than
 * anybody uses what was read before ({@link RegionList.item}). It is not newer: a cached block is valid for less than a second after its server's last
 * answer, and the number of an entry that was deleted rests for a quarter of an hour.
 */
export interface RegionListReader {
  /** Reads new entries of a region's lists, past the cache. Repeats if the lists were forgotten meanwhile. */
  readAll(region: IndexRegion): Promise<void>;
  /** Reads new entries of a region's opening times, past the cache. */
  readOpeningTimes(region: IndexRegion): Promise<void>;
  /** Reads new entries of a region's size profiles over a connection. */
  readProfiles(connection: RedisConnection, region: IndexRegion): Promise<void>;
}

/** Creates a reader of region lists. @param now monotonic clock, in ms */
export function createRegionListReader(redis: RedisConnection, keys: Keys, now: () => number): RegionListReader {
  async function read<Item>(connection: RedisConnection, key: string, list: RegionList<Item>): Promise<void> {
    const [askedAtMs, lastBefore] = [now(), list.last];
    // What was read long ago must not stay: its numbers may have been given away since, and to entries that are gone again.
    const isWhole = list.isLarge || !list.isUsable(askedAtMs);
    const from = isWhole ? "-inf" : `(${lastBefore}`;
    const reply = await connection.zrangeBuffer(key, from, "+inf", "BYSCORE", "WITHSCORES");
    const found: ReadEntry[] = [];
    for (let index = 0; index < reply.length; index += 2) found.push([reply[index] as Buffer, Number(String(reply[index + 1]))]);
    list.take(found, askedAtMs);
    if (isWhole) list.prune(found, lastBefore);
  }

  async function readProfiles(connection: RedisConnection, { region, lists }: IndexRegion): Promise<void> {
    await read(connection, keys.profiles(region), lists.profiles);
  }

  async function readOpeningTimes({ region, lists }: IndexRegion): Promise<void> {
    await read(redis, keys.openingTimes(region), lists.openingTimes);
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
