import type { Event } from "@petak/protocol";
import type { StoredReplay } from "@petak/records";
import type { FeedName } from "@petak/redis";
import type { FeedCursor } from "../../feed/feed-cursor.ts";
import type { FeedReader } from "../../feed/feed-reader.ts";

/** Some events of a replay, and the replay as it stands after them: without content, it has come to its end. */
export interface ReplayPage {
  events: Event[];
  after: StoredReplay;
}

/** A replay that has come as far as a cursor of its range. */
export function replayAt(id: string, cursor: FeedCursor): StoredReplay {
  return { id, content: JSON.stringify(cursor) };
}

/** Reads on in a replay. */
export async function readReplay({ id, content }: StoredReplay, reader: FeedReader, feed: FeedName, pageSize: number): Promise<ReplayPage> {
  const { events, cursor, hasMore } = await reader.readAfter(feed, JSON.parse(content) as FeedCursor, pageSize);
  return { events, after: hasMore ? replayAt(id, cursor) : { id, content: "" } };
}
