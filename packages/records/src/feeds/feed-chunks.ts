import type { Region } from "@petak/protocol";
import type { FeedName, Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../create-script.ts";

import { type EventReference, referenceBytes } from "./event-reference.ts";
import { type ChunkTimes, chunkSize, createFeedStore } from "./feed-store.ts";
import { createRegionProgress } from "./region-progress.ts";

/** A whole chunk of a feed, as it is kept. */
export interface StoredChunk extends ChunkTimes {
  readonly bytes: Buffer;
}

/** Bytes of a whole chunk. */
export const chunkBytes = chunkSize * referenceBytes;

/** Where chunks are that have left for the archive. */
export interface FeedArchive {
  /** References of a feed from a number on, at most `count`, in the same chunk. */
  references(feed: FeedName, from: number, count: number): Promise<EventReference[]>;
  /** The times of the chunks that are there. */
  times(feed: FeedName): Promise<ChunkTimes[]>;
}

/** What leaves participants' feeds for the archive. */
export interface FeedChunks {
  /** The feeds that have events of a region. */
  feedsOf(region: Region): Promise<FeedName[]>;
  /** Whole chunks of a feed all of whose events were recorded before a time, in their order, at most `max`. */
  before(feed: FeedName, timeMs: number, max: number): Promise<StoredChunk[]>;
  /** Takes a chunk away that the archive has. False where it is another here, and nothing was done. */
  forget(feed: FeedName, chunk: StoredChunk): Promise<boolean>;
}

const forgetScript = createScript("forget-feed-chunk");

/** Keeps it in Redis. */
export function createFeedChunks(redis: RedisConnection, keys: Keys, siteIds: SiteIds): FeedChunks {
  const progress = createRegionProgress(redis, keys, siteIds);
  const feeds = createFeedStore(redis, keys);
  return {
    async feedsOf(region) {
      return (await progress.allLasts(region)).map(({ feed }) => feed);
    },
    async before(feed, timeMs, max) {
      const old = (await feeds.timesHere(feed)).filter(({ lastMs }) => lastMs < timeMs).slice(0, max);
      const chunks = await Promise.all(
        old.map(async (times) => ({ ...times, bytes: await redis.getBuffer(keys.feedChunk(feed, times.chunk)) })),
      );
      return chunks.flatMap((chunk) => (chunk.bytes?.length === chunkBytes ? [{ ...chunk, bytes: chunk.bytes }] : []));
    },
    async forget(feed, { chunk, bytes }) {
      const [tag] = await forgetScript(redis, [keys.feedHead(feed), keys.feedTimes(feed), keys.feedChunk(feed, chunk)], [chunk, bytes]);
      return tag === "done";
    },
  };
}
