import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { StoredReplay } from "@petak/allocator";
import type { Event, Region } from "@petak/protocol";
import type { ParticipantCaller } from "../identity/index.ts";
import { decodeCursor, type EventCursor, encodeCursor } from "../services/event-cursor.ts";
import type { EventReader } from "../services/event-reader.ts";

/** A replay under way: where it has come to, and which events it is for. */
interface ReplayContent {
  cursor: string;
  /** Events recorded at or after this, in ms. */
  fromMs: number;
  /** Events recorded before this, in ms. */
  toMs: number;
}

/** What is asked for. */
export interface ReplayRange {
  /** Where to begin; undefined: at the oldest event kept that can be in the range. */
  cursor: EventCursor | undefined;
  /** In ms; undefined: no bound. */
  fromMs: number | undefined;
  toMs: number;
}

/** Some events of a replay, and the replay as it stands after them: without content, it has come to its end. */
export interface ReplayPage {
  events: Event[];
  after: StoredReplay;
}

/** The record is in the order of Redis's clock, the range by the gateways' clocks: how far these may differ, in ms. */
const clockSlackMs = 5 * 60_000;

/** A replay that has not begun. */
export function newReplay(id: string, { cursor, fromMs, toMs }: ReplayRange, regions: readonly Region[]): StoredReplay {
  const startMs = Math.max(0, (fromMs ?? 0) - clockSlackMs);
  const start = cursor ?? new Map(startMs === 0 ? [] : regions.map((region) => [region, `${startMs}-0`]));
  const content: ReplayContent = { cursor: encodeCursor(start), fromMs: fromMs ?? 0, toMs };
  return { id, content: JSON.stringify(content) };
}

/** Reads on in a replay. */
export async function readReplay(
  { id, content }: StoredReplay,
  reader: EventReader,
  caller: ParticipantCaller,
  pageSize: number,
): Promise<ReplayPage> {
  const { cursor, fromMs, toMs } = JSON.parse(content) as ReplayContent;
  const page = await reader.readAfter(decodeCursor(cursor), { caller, pageSize });
  const times = page.events.map(({ recordedAt }) => (recordedAt === undefined ? 0 : timestampMs(recordedAt)));
  const isOver = page.unread.size === 0 || times.some((timeMs) => timeMs >= toMs + clockSlackMs);
  const next: ReplayContent = { cursor: encodeCursor(page.cursor), fromMs, toMs };
  return {
    events: page.events.filter((_, index) => (times[index] ?? 0) >= fromMs && (times[index] ?? 0) < toMs),
    after: { id, content: isOver ? "" : JSON.stringify(next) },
  };
}
