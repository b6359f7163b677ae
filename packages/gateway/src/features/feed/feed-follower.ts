import type { ParticipantFeeds } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { FeedCursor } from "./feed-cursor.ts";
import type { EventPage, FeedReader } from "./feed-reader.ts";

/** Reads a feed as it grows. */
export interface FeedFollower {
  /** Reads the next events, at most `pageSize`. The first call sees everything that was acknowledged before it. */
  next(pageSize: number): Promise<EventPage>;
  /** Resolves with true when there are new events, with false after `timeoutMs` or when a signal aborts. */
  wait(timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Stops following. May be called repeatedly. */
  close(): void;
}

export interface FollowerOptions {
  reader: FeedReader;
  feeds: Pick<ParticipantFeeds, "subscribe">;
  feed: FeedName;
  /** Where to start. */
  cursor: FeedCursor;
}

/** Follows a feed from a cursor. */
export function followFeed({ reader, feeds, feed, cursor }: FollowerOptions): FeedFollower {
  const subscription = feeds.subscribe(feed);
  let place = cursor;
  let isUpToDate = false;

  return {
    async next(pageSize) {
      if (!isUpToDate) await reader.bringUpToDate(feed);
      isUpToDate = true;
      const page = await reader.readAfter(feed, place, pageSize);
      place = page.cursor;
      return page;
    },
    wait: (timeoutMs, signals) => subscription.wait(place.number, timeoutMs, signals),
    close: () => subscription.close(),
  };
}
