import type { FeedName } from "@petak/redis";
import type { StreamEvent } from "../events/event-stream.ts";
import { feedId, feedsOf } from "./event-reference.ts";
import type { EventItem } from "./feed-tails.ts";

/** What one feed is to have of some events, in their order. */
export interface Share {
  readonly feed: FeedName;
  readonly items: readonly EventItem[];
}

/**
 * What each feed is to have of some events.
 *
 * @param onError hears of an event of which it cannot be read whose it is: it belongs in no feed, and must not keep the others from being logged
 */
export function sharesOf(events: readonly StreamEvent[], onError: (error: unknown) => void): Share[] {
  const shares = new Map<string, { feed: FeedName; items: EventItem[] }>();
  for (const logged of events) {
    const { entry } = logged;
    try {
      const { outline } = logged;
      for (const feed of feedsOf(outline)) {
        const share = shares.get(feedId(feed)) ?? { feed, items: [] };
        share.items.push({ entry, recordedMs: outline.recordedMs, logged });
        shares.set(feedId(feed), share);
      }
    } catch (error) {
      onError(error);
    }
  }
  return [...shares.values()];
}
