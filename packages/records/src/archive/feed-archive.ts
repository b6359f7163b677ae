import type { FeedName } from "@petak/redis";
import { referenceBytes, unpackReferences } from "../feeds/event-reference.ts";
import { type ChunkTimes, chunkOf, chunkSize, type FeedArchive } from "../feeds/feed-store.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./files/archive-files.ts";
import type { ArchiveLayout } from "./files/archive-layout.ts";
import { type FeedFile, feedFiles, readFeedChunk, readFeedTimes } from "./files/feed-file.ts";
import { WeightedCache } from "./files/weighted-cache.ts";

/** The cache of chunks, in bytes. */
const chunksMaxBytes = 8 * 1024 * 1024;

/** The cache of times, in files. */
const timesMaxFiles = 10_000;

/** Reads the archived chunks of participants' feeds. Its methods throw an ArchiveFailure if a chunk is missing. */
export function createFeedArchive(files: ArchiveFiles, layout: ArchiveLayout): FeedArchive {
  const chunks = new WeightedCache<Buffer>(chunksMaxBytes);
  const times = new WeightedCache<ChunkTimes[]>(timesMaxFiles);

  async function opened<Result>(file: FeedFile, read: (open: OpenFile) => Promise<Result>): Promise<Result> {
    const open = await files.open(file.path);
    if (open === undefined) throw new ArchiveFailure("unavailable", `${file.path} is missing`);
    try {
      return await read(open);
    } finally {
      await open.close();
    }
  }

  async function chunkBytesOf(feed: FeedName, chunk: number): Promise<Buffer> {
    const name = `${feed.participantId} ${feed.mode} ${chunk}`;
    const known = chunks.get(name);
    if (known !== undefined) return known;
    const file = (await feedFiles(files, layout, feed)).find(({ first, last }) => first <= chunk && chunk <= last);
    if (file === undefined) throw new ArchiveFailure("unavailable", `no file in ${layout.feedDir(feed)} has chunk ${chunk}`);
    const bytes = await opened(file, (open) => readFeedChunk(open, file, chunk));
    chunks.set(name, bytes, bytes.length);
    return bytes;
  }

  return {
    async references(feed, from, count) {
      const bytes = await chunkBytesOf(feed, chunkOf(from));
      const first = (from - 1) % chunkSize;
      return unpackReferences(bytes.subarray(first * referenceBytes, Math.min(chunkSize, first + count) * referenceBytes));
    },
    async times(feed) {
      const found = await Promise.all(
        (await feedFiles(files, layout, feed)).map(async (file) => {
          const known = times.get(file.path);
          if (known !== undefined) return known;
          const read = await opened(file, (open) => readFeedTimes(open, file));
          times.set(file.path, read, 1);
          return read;
        }),
      );
      // Files overlap if two gateways wrote at the same time.
      return [...new Map(found.flat().map((chunk) => [chunk.chunk, chunk])).values()];
    },
  };
}
