import type { Event } from "@petak/protocol";
import type { StoredReplay } from "@petak/records";
import type { LogName } from "@petak/redis";
import type { LogCursor } from "../services/log-cursor.ts";
import type { LogReader } from "../services/log-reader.ts";

/** Some events of a replay, and the replay as it stands after them: without content, it has come to its end. */
export interface ReplayPage {
  events: Event[];
  after: StoredReplay;
}

/** A replay that has come as far as a cursor of its range. */
export function replayAt(id: string, cursor: LogCursor): StoredReplay {
  return { id, content: JSON.stringify(cursor) };
}

/** Reads on in a replay. */
export async function readReplay({ id, content }: StoredReplay, reader: LogReader, log: LogName, pageSize: number): Promise<ReplayPage> {
  const { events, cursor, hasMore } = await reader.readAfter(log, JSON.parse(content) as LogCursor, pageSize);
  return { events, after: hasMore ? replayAt(id, cursor) : { id, content: "" } };
}
