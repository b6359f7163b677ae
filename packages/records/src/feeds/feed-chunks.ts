import type { Region } from "@petak/protocol";
import type { FeedName, Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { referenceBytes } from "./event-reference.ts";
import { type ChunkTimes, chunkSize, createFeedStore } from "./feed-store.ts";
import { createRegionProgress } from "./region-progress.ts";

/** A full chunk of a feed. */
export interface StoredChunk extends ChunkTimes {
  readonly bytes: Buffer;
}

/** Bytes of a full chunk. */
export const chunkBytes = chunkSize * referenceBytes;

/** The chunks of participants' feeds, for the archiver. */
export interface FeedChunks {
  /** The feeds that have events of a region. */
  feedsOf(region: Region): Promise<FeedName[]>;
  /** Full chunks of a feed whose events were all recorded before a time, in order, at most `max`. @param timeMs in ms since 1970 */
  before(feed: FeedName, timeMs: number, max: number): Promise<StoredChunk[]>;
  /** Deletes a chunk that is in the archive. Returns false, and deletes nothing, if the stored chunk differs. */
  delete(feed: FeedName, chunk: StoredChunk): Promise<boolean>;
}

const deleteScript = createScript("delete-feed-chunk");

/** Reads and deletes chunks in Redis. */
export function createFeedChunks(redis: RedisConnection, keys: Keys, siteIds: SiteIds): FeedChunks {
  const progress = createRegionProgress(redis, keys, siteIds);
  const feeds = createFeedStore(redis, keys);
  return {
    async feedsOf(region) {
      return (await progress.allLasts(region)).map(({ feed }) => feed);
    },
    async before(feed, timeMs, max) {
      const old = (await feeds.storedTimes(feed)).filter(({ lastMs }) => lastMs < timeMs).slice(0, max);
      const chunks = await Promise.all(
        old.map(async (times) => ({ ...times, bytes: await redis.getBuffer(keys.feedChunk(feed, times.chunk)) })),
      );
      return chunks.flatMap((chunk) => (chunk.bytes?.length === chunkBytes ? [{ ...chunk, bytes: chunk.bytes }] : []));
    },
    async delete(feed, { chunk, bytes }) {
      const [tag] = await deleteScript(redis, [keys.feedHead(feed), keys.feedTimes(feed), keys.feedChunk(feed, chunk)], [chunk, bytes]);
      return tag === "done";
    },
  };
}
