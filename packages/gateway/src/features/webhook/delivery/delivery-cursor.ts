import type { FeedName } from "@petak/redis";
import { decodeCursor, type FeedCursor } from "../../event-pages/feed-cursor.ts";
import type { DeliveryHealth } from "./delivery-health.ts";

/** How far the feed of an endpoint's owner was read for it. */
export function cursorIn(feed: FeedName, { cursor }: Pick<DeliveryHealth, "cursor">): FeedCursor {
  return cursor === "" ? { number: 0 } : decodeCursor(feed, cursor);
}
