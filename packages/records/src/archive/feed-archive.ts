import type { FeedName } from "@petak/redis";
import { referenceBytes, unpackReferences } from "../feeds/event-reference.ts";
import type { FeedArchive } from "../feeds/feed-chunks.ts";
import type { ChunkTimes } from "../feeds/feed-store.ts";
import { chunkOf, chunkSize } from "../feeds/participant-feeds.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles, OpenFile } from "./files/archive-files.ts";
import type { ArchiveLayout } from "./files/archive-layout.ts";
import { type FeedFile, feedFiles, readFeedChunk, readFeedTimes } from "./files/feed-file.ts";
import { WeightedCache } from "./files/weighted-cache.ts";

/** What is kept of chunks that were read, in bytes. */
const chunksMaxBytes = 8 * 1024 * 1024;

/** Files of which the times are kept. */
const timesMaxFiles = 10_000;

/** Reads the chunks of participants' feeds that have left for the archive. Throws an ArchiveFailure where one that has is not there. */
export function createFeedArchive(files: ArchiveFiles, layout: ArchiveLayout): FeedArchive {
  const chunks = new WeightedCache<Buffer>(chunksMaxBytes);
  const times = new WeightedCache<ChunkTimes[]>(timesMaxFiles);

  async function opened<Result>(file: FeedFile, read: (open: OpenFile) => Promise<Result>): Promise<Result> {
    const open = await files.open(file.path);
    if (open === undefined) throw new ArchiveFailure("away", `${file.path} has gone`);
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
    if (file === undefined) throw new ArchiveFailure("away", `no file in ${layout.feedDir(feed)} has chunk ${chunk}`);
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
      // Files overlap where two gateways wrote at once.
      return [...new Map(found.flat().map((chunk) => [chunk.chunk, chunk])).values()];
    },
  };
}
