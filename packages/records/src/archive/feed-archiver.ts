import { randomUUID } from "node:crypto";
import type { FeedName } from "@petak/redis";
import type { EventStream } from "../events/event-stream.ts";
import { feedId } from "../feeds/event-reference.ts";
import type { FeedChunks, StoredChunk } from "../feeds/feed-chunks.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles } from "./files/archive-files.ts";
import { type ArchiveLayout, dateAt, startOf } from "./files/archive-layout.ts";
import { feedFiles, readFeedFile, writeFeedFile } from "./files/feed-file.ts";

/** The options of archiving feeds. */
export interface FeedArchiverOptions {
  records: { events: Pick<EventStream, "regions">; feedChunks: FeedChunks };
  files: ArchiveFiles;
  layout: ArchiveLayout;
  /** How long chunks stay in the store after the end of the day of their last event, in ms. */
  retentionMs: number;
  /** Called with an error of one feed. */
  onFailure: (error: unknown) => void;
}

/** The most chunks of one file: about 3 MB. */
const chunksMax = 1000;

/**
 * Moves full chunks of participants' feeds to the archive once the retention of all their events has passed. Any number of gateways may do so: all write the same
 * files, and a chunk is deleted from the store only if it equals what was read back.
 *
 * @param timeMs the earlier of the gateway's and the server's time, in ms since 1970
 */
export async function archiveFeeds({ records, files, layout, retentionMs, onFailure }: FeedArchiverOptions, timeMs: number): Promise<void> {
  const { events, feedChunks } = records;
  const feeds = new Map<string, FeedName>();
  for (const region of await events.regions()) {
    for (const feed of await feedChunks.feedsOf(region)) feeds.set(feedId(feed), feed);
  }
  // Only whole days, so that a feed gets at most one file a day.
  const beforeMs = startOf(dateAt(timeMs - retentionMs));

  /** The chunks that are archived already: another gateway has crashed before it deleted them, or is about to delete them. */
  async function inArchive(feed: FeedName, chunks: readonly StoredChunk[]): Promise<Map<number, StoredChunk>> {
    const wanted = new Set(chunks.map(({ chunk }) => chunk));
    const found = new Map<number, StoredChunk>();
    for (const file of await feedFiles(files, layout, feed)) {
      if (![...wanted].some((chunk) => file.first <= chunk && chunk <= file.last)) continue;
      for (const stored of await readFeedFile(files, file)) found.set(stored.chunk, stored);
    }
    return found;
  }

  async function archiveFeed(feed: FeedName): Promise<void> {
    for (;;) {
      const old = await feedChunks.before(feed, beforeMs, chunksMax);
      if (old.length === 0) return;
      const known = await inArchive(feed, old);
      const fresh = old.filter(({ chunk }) => !known.has(chunk));
      const run = fresh.slice(0, runLength(fresh));
      if (run.length > 0) {
        const file = await writeFeedFile(files, layout, feed, run, randomUUID());
        for (const stored of await readFeedFile(files, file)) known.set(stored.chunk, stored);
      }
      const readBack = old.flatMap(({ chunk }) => known.get(chunk) ?? []);
      for (const chunk of readBack) {
        if (await feedChunks.delete(feed, chunk)) continue;
        throw new ArchiveFailure(
          "damaged",
          `chunk ${chunk.chunk} of the feed of ${feedId(feed)} differs from the archive; it was not deleted`,
        );
      }
    }
  }

  for (const feed of feeds.values()) {
    try {
      await archiveFeed(feed);
    } catch (error) {
      // The failure of one feed must not prevent the archiving of others.
      onFailure(error);
    }
  }
}

/** The number of consecutive chunks from the first on. */
function runLength(chunks: readonly StoredChunk[]): number {
  const [first] = chunks;
  const end = chunks.findIndex(({ chunk }, index) => first !== undefined && chunk !== first.chunk + index);
  return end === -1 ? chunks.length : end;
}
