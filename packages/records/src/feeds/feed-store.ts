import type { Region } from "@petak/protocol";
import type { FeedName, Keys, RedisConnection } from "@petak/redis";
import { createScript } from "../create-script.ts";
import { type EventReference, feedId, packEntry, packRegion, referenceBytes, unpackEntry, unpackReferences } from "./event-reference.ts";
import type { FeedArchive } from "./feed-chunks.ts";

/** An event that is to stand in a feed. */
export interface FeedItem {
  /** Its entry in its region's stream. */
  readonly entry: string;
  /** When it was recorded, in ms. */
  readonly recordedMs: number;
}

/**
 * What came of appending: all of it is there now, the last `count` of it as the feed's numbers up to `last`, directly behind the references `before`, and the
 * rest from before; or the feed has less of the region than was thought, up to `position`.
 */
export type AppendOutcome =
  | { tag: "done"; last: number; count: number; before: readonly EventReference[] }
  | { tag: "behind"; position: string | undefined };

/** When the events of one chunk of a feed were recorded, in ms, both included. */
export interface ChunkTimes {
  readonly chunk: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** The participants' feeds in Redis. Each event that concerns a participant has a number there, 1, 2, 3 and so on without a gap. */
export interface FeedStore {
  /**
   * Appends events of one region, at most {@link chunkSize}, in the region's order. What is there already is passed over.
   *
   * @param previous the last entry before these that is said to be in the feed; undefined: none
   * @param beforeMax how many of the references before what is appended are wanted at most. Default: none
   */
  append(
    feed: FeedName,
    region: Region,
    previous: string | undefined,
    items: readonly FeedItem[],
    beforeMax?: number,
  ): Promise<AppendOutcome>;
  /** The last number of a feed; 0: it is empty. */
  last(feed: FeedName): Promise<number>;
  /** The entry up to which a region's events are in a feed; undefined: none is. */
  position(feed: FeedName, region: Region): Promise<string | undefined>;
  /** At most `count` references from a number on, as far as they are in the same chunk; none where they are kept nowhere any more. */
  references(feed: FeedName, from: number, count: number): Promise<EventReference[]>;
  /** The times of all chunks, in their order. */
  times(feed: FeedName): Promise<ChunkTimes[]>;
  /** The same of those that are in Redis. */
  timesHere(feed: FeedName): Promise<ChunkTimes[]>;
}

/** References of a chunk: 3.3 kB. */
export const chunkSize = 256;

/** Bytes of an item: entry, and u48 of the time. */
const itemBytes = 16;

/** Feeds whose last numbers are remembered. */
const rememberedMax = 10_000;

const appendScript = createScript("append-to-feed", { isSentAtOnce: true });

/** The chunk in which a number lies. */
export function chunkOf(number: number): number {
  return Math.floor((number - 1) / chunkSize);
}

/** Keeps the feeds in Redis. What has left it is read from an archive, where one is given. */
export function createFeedStore(redis: RedisConnection, keys: Keys, archive?: FeedArchive): FeedStore {
  /** How many of a feed's chunks have left for the archive. */
  async function archivedChunks(feed: FeedName): Promise<number> {
    return archive === undefined ? 0 : Number((await redis.hget(keys.feedHead(feed), "a")) ?? 0);
  }

  /** The last number of each feed as it was last seen here, which says in which chunk the next lies. */
  const lasts = new Map<string, number>();

  function remember(feed: FeedName, last: number): void {
    if (lasts.size >= rememberedMax) lasts.clear();
    lasts.set(feedId(feed), last);
  }

  const store: FeedStore = {
    async append(feed, region, previous, items, beforeMax = 0) {
      const packed = packItems(items);
      for (;;) {
        const chunk = chunkOf((lasts.get(feedId(feed)) ?? 0) + 1);
        const chunks = [chunk, chunk + 1, Math.max(0, chunk - 1)].map((index) => keys.feedChunk(feed, index));
        const [tag, value, count, before] = await appendScript(
          redis,
          [keys.feedHead(feed), keys.feedTimes(feed), ...chunks],
          [packRegion(region), previous === undefined ? "" : packEntry(previous), chunk, chunkSize, packed, beforeMax],
        );
        if (tag === "behind") {
          const position = value as Buffer;
          return { tag, position: position.length === 0 ? undefined : unpackEntry(position) };
        }
        remember(feed, Number(value));
        if (tag === "done") return { tag, last: Number(value), count: Number(count), before: unpackReferences(before as Buffer) };
      }
    },
    async last(feed) {
      return Number((await redis.hget(keys.feedHead(feed), "n")) ?? 0);
    },
    async position(feed, region) {
      // A field of three bytes is no text.
      const [position] = await redis.hmgetBuffer(keys.feedHead(feed), packRegion(region));
      return position == null ? undefined : unpackEntry(position);
    },
    async references(feed, from, count) {
      const chunk = chunkOf(from);
      const first = from - 1 - chunk * chunkSize;
      const end = Math.min(chunkSize, first + count);
      const bytes = await redis.getrangeBuffer(keys.feedChunk(feed, chunk), first * referenceBytes, end * referenceBytes - 1);
      if (bytes.length > 0 || archive === undefined || chunk >= (await archivedChunks(feed))) return unpackReferences(bytes);
      return await archive.references(feed, from, end - first);
    },
    async times(feed) {
      const here = await store.timesHere(feed);
      // In this order: what has left before the first is said by the second.
      if (archive === undefined || (await archivedChunks(feed)) === 0) return here;
      const known = new Set(here.map(({ chunk }) => chunk));
      const archived = (await archive.times(feed)).filter(({ chunk }) => !known.has(chunk));
      return [...archived, ...here].sort((a, b) => a.chunk - b.chunk);
    },
    async timesHere(feed) {
      const found = await redis.hgetallBuffer(keys.feedTimes(feed));
      return Object.entries(found)
        .map(([chunk, bytes]) => ({ chunk: Number(chunk), firstMs: bytes.readUIntLE(0, 6), lastMs: bytes.readUIntLE(6, 6) }))
        .sort((a, b) => a.chunk - b.chunk);
    },
  };
  return store;
}

function packItems(items: readonly FeedItem[]): Buffer {
  const bytes = Buffer.alloc(items.length * itemBytes);
  for (const [index, { entry, recordedMs }] of items.entries()) {
    packEntry(entry).copy(bytes, index * itemBytes);
    bytes.writeUIntLE(recordedMs, index * itemBytes + 10, 6);
  }
  return bytes;
}
