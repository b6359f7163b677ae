import type { Event } from "@petak/protocol";
import type { StoredReplay } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { FeedCursor } from "../../feed/feed-cursor.ts";
import type { FeedReader } from "../../feed/feed-reader.ts";

/** A page of a replay. */
export interface ReplayPage {
  events: Event[];
  /** The replay after the page. Empty content: it has ended. */
  after: StoredReplay;
}

/** Encodes a replay at a cursor of its range. */
export function replayAt(id: string, cursor: FeedCursor): StoredReplay {
  return { id, content: JSON.stringify(cursor) };
}

/** Reads the next page of a replay. */
export async function readReplay({ id, content }: StoredReplay, reader: FeedReader, feed: FeedName, pageSize: number): Promise<ReplayPage> {
  const { events, cursor, hasMore } = await reader.readAfter(feed, JSON.parse(content) as FeedCursor, pageSize);
  return { events, after: hasMore ? replayAt(id, cursor) : { id, content: "" } };
}
