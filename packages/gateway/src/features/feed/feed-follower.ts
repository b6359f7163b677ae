import type { ParticipantFeeds } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { FeedCursor } from "./feed-cursor.ts";
import type { EventPage, FeedReader } from "./feed-reader.ts";

/** One reading of a feed as it grows. */
export interface FeedFollower {
  /** The next events, at most `pageSize`. The first time, all that was acknowledged before is there. */
  next(pageSize: number): Promise<EventPage>;
  /** Resolves with true when there is something to read, with false after `timeoutMs` or when a signal aborts. */
  wait(timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Ends the following. May be called any number of times. */
  close(): void;
}

/** What a follower needs. */
export interface FollowerOptions {
  reader: FeedReader;
  feeds: Pick<ParticipantFeeds, "subscribe">;
  feed: FeedName;
  /** Where it begins. */
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
