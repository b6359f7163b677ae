import { randomUUID } from "node:crypto";
import type { FeedName } from "@petak/redis";
import { feedId } from "../feeds/event-reference.ts";
import type { StoredChunk } from "../feeds/feed-chunks.ts";
import type { Records } from "../records.ts";
import { ArchiveFailure } from "./files/archive-failure.ts";
import type { ArchiveFiles } from "./files/archive-files.ts";
import { type ArchiveLayout, dateAt, startOf } from "./files/archive-layout.ts";
import { feedFiles, readFeedFile, writeFeedFile } from "./files/feed-file.ts";

/** What archiving feeds needs. */
export interface FeedArchiverOptions {
  records: Pick<Records, "events" | "feedChunks">;
  files: ArchiveFiles;
  layout: ArchiveLayout;
  /** How long what is in a chunk stays in the records, in ms, and until the end of its day. */
  retentionMs: number;
  /** Hears what went wrong with a feed. */
  onFailure: (error: unknown) => void;
}

/** Chunks that go into one file at most: some 3 MB. */
const chunksMax = 1000;

/**
 * Moves whole chunks of participants' feeds to the archive whose events are all as old as what leaves a region's record. Any number of gateways may: what is written is
 * the same whoever writes it, and it is taken from the records only where these say what was read back.
 *
 * @param timeMs the time, by the clock that is behind
 */
export async function archiveFeeds({ records, files, layout, retentionMs, onFailure }: FeedArchiverOptions, timeMs: number): Promise<void> {
  const { events, feedChunks } = records;
  const feeds = new Map<string, FeedName>();
  for (const region of await events.regions()) {
    for (const feed of await feedChunks.feedsOf(region)) feeds.set(feedId(feed), feed);
  }
  // Only days that have ended as long ago: so a feed has one file a day at most.
  const beforeMs = startOf(dateAt(timeMs - retentionMs));

  /** Chunks that the archive has already: whoever wrote them died before they were taken away, or is about to. */
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
        if (await feedChunks.forget(feed, chunk)) continue;
        throw new ArchiveFailure("damaged", `chunk ${chunk.chunk} of the feed of ${feedId(feed)} is not what the archive has; it stays`);
      }
    }
  }

  for (const feed of feeds.values()) {
    try {
      await archiveFeed(feed);
    } catch (error) {
      // One feed must not keep the others from their archive.
      onFailure(error);
    }
  }
}

/** How many chunks from the first on follow one another. */
function runLength(chunks: readonly StoredChunk[]): number {
  const [first] = chunks;
  const end = chunks.findIndex(({ chunk }, index) => first !== undefined && chunk !== first.chunk + index);
  return end === -1 ? chunks.length : end;
}
