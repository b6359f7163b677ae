import type { Region } from "@petak/protocol";
import type { FeedName, Keys, RedisConnection } from "@petak/redis";
import { packEntry, unpackEntry } from "../encoding/stream-entry.ts";
import { createScript } from "../lua/create-script.ts";
import { type EventReference, feedId, packRegion, referenceBytes, unpackReferences } from "./event-reference.ts";

/** An event to append to a feed. */
export interface FeedItem {
  /** Its entry in its region's stream. */
  readonly entry: string;
  /** When it was recorded, in ms since 1970. */
  readonly recordedMs: number;
}

/** The result of appending. */
export type AppendOutcome =
  /**
   * All events are in the feed. `last` is the feed's last number. The last `count` events were appended by this call, directly after the references `before`;
   * the others were in the feed already.
   */
  | { tag: "done"; last: number; count: number; before: readonly EventReference[] }
  /** Nothing was appended: the feed lacks earlier events of the region. It has those up to `position`; undefined: none. */
  | { tag: "behind"; position: string | undefined };

/** When the first and the last event of a feed chunk were recorded, in ms since 1970. */
export interface ChunkTimes {
  readonly chunk: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Chunks of feeds that were moved to the archive. */
export interface FeedArchive {
  /** At most `count` references of a feed from a number on, within one chunk. */
  references(feed: FeedName, from: number, count: number): Promise<EventReference[]>;
  /** The times of a feed's archived chunks. */
  times(feed: FeedName): Promise<ChunkTimes[]>;
}

/** The participants' feeds. Each event that concerns a participant has a number in its feed: 1, 2, 3 and so on without a gap. */
export interface FeedStore {
  /**
   * Appends events of one region, in the region's order, at most {@link chunkSize}. Events that are in the feed already are skipped.
   *
   * @param previous the entry of the region's preceding event in the feed, as far as the caller knows. Undefined: there is none
   * @param beforeMax the most references to return in `before`. Default 0
   */
  append(
    feed: FeedName,
    region: Region,
    previous: string | undefined,
    items: readonly FeedItem[],
    beforeMax?: number,
  ): Promise<AppendOutcome>;
  /** The last number of a feed. 0: it is empty. */
  last(feed: FeedName): Promise<number>;
  /** The entry up to which a region's events are in a feed. Undefined: it has none. */
  position(feed: FeedName, region: Region): Promise<string | undefined>;
  /** At most `count` references from a number on, within one chunk. Empty if they are stored nowhere any more. */
  references(feed: FeedName, from: number, count: number): Promise<EventReference[]>;
  /** The times of all chunks, in order. */
  times(feed: FeedName): Promise<ChunkTimes[]>;
  /** The times of the chunks that are in Redis, in order. */
  storedTimes(feed: FeedName): Promise<ChunkTimes[]>;
}

/** References in a chunk, which takes 3.3 kB. */
export const chunkSize = 256;

/** Bytes of an event to append: its packed entry, and when it was recorded as u48 in ms. */
const itemBytes = 16;

/** Feeds whose last numbers are kept in memory. */
const cachedLastsMax = 10_000;

const appendScript = createScript("append-to-feed", { isSentAtOnce: true });

/** The index of the chunk that contains a number. */
export function chunkOf(number: number): number {
  return Math.floor((number - 1) / chunkSize);
}

/** Stores feeds in Redis. With an archive, chunks that were moved there are read from it. */
export function createFeedStore(redis: RedisConnection, keys: Keys, archive?: FeedArchive): FeedStore {
  /** The number of a feed's chunks that were moved to the archive. */
  async function archivedChunks(feed: FeedName): Promise<number> {
    return archive === undefined ? 0 : Number((await redis.hget(keys.feedHead(feed), "a")) ?? 0);
  }

  /** The last known number of feeds, to guess the chunk to append to. */
  const lasts = new Map<string, number>();

  function cacheLast(feed: FeedName, last: number): void {
    if (lasts.size >= cachedLastsMax) lasts.clear();
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
        cacheLast(feed, Number(value));
        if (tag === "done") return { tag, last: Number(value), count: Number(count), before: unpackReferences(before as Buffer) };
      }
    },
    async last(feed) {
      return Number((await redis.hget(keys.feedHead(feed), "n")) ?? 0);
    },
    async position(feed, region) {
      // The field is binary.
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
      const here = await store.storedTimes(feed);
      // In this order: a chunk that was moved before the first read is counted by the second.
      if (archive === undefined || (await archivedChunks(feed)) === 0) return here;
      const known = new Set(here.map(({ chunk }) => chunk));
      const archived = (await archive.times(feed)).filter(({ chunk }) => !known.has(chunk));
      return [...archived, ...here].sort((a, b) => a.chunk - b.chunk);
    },
    async storedTimes(feed) {
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
