import type { FeedName } from "@petak/redis";
import type { StreamEvent } from "../events/event-stream.ts";
import { feedId, feedsOf } from "./event-reference.ts";
import type { EventItem } from "./feed-tails.ts";

/** The events that belong to one feed, in order. */
export interface Share {
  readonly feed: FeedName;
  readonly items: readonly EventItem[];
}

/**
 * Distributes events to the feeds that they belong to.
 *
 * @param onError called for an event that cannot be read. It belongs to no feed, and does not prevent the others from being appended
 */
export function sharesOf(events: readonly StreamEvent[], onError: (error: unknown) => void): Share[] {
  const shares = new Map<string, { feed: FeedName; items: EventItem[] }>();
  for (const recorded of events) {
    const { entry } = recorded;
    try {
      const { outline } = recorded;
      for (const feed of feedsOf(outline)) {
        const share = shares.get(feedId(feed)) ?? { feed, items: [] };
        share.items.push({ entry, recordedMs: outline.recordedMs, recorded });
        shares.set(feedId(feed), share);
      }
    } catch (error) {
      onError(error);
    }
  }
  return [...shares.values()];
}
