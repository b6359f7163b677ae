import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import { invalidField, type ListEventsRequest, type ListEventsResponse, ListEventsResponseSchema } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeCursor, encodeCursor, type FeedCursor, rangeCursor } from "../feed/feed-cursor.ts";
import { followFeed } from "../feed/feed-follower.ts";
import type { EventPage, FeedReader } from "../feed/feed-reader.ts";
import type { EventFeedDependencies } from "./event-feed.ts";
import type { EventView } from "./event-view.ts";

/** The context of the call. */
export interface ListEventsCall {
  readonly signal: AbortSignal;
  /** Time until the deadline, in ms. Undefined: no deadline. */
  timeoutMs(): number | undefined;
  /** Called when the call begins to wait, so that other calls of its caller need not wait for it. */
  onWait?(): void;
}

/** Most waiting calls of one participant at all gateways: more than it has servers that read, and a small part of what a gateway can hold. */
export const pollsPerCaller = 16;

/** Page size if the request does not specify it. */
const defaultPageSize = 100;

/** Part of a long poll's deadline that is reserved for the response, in ms. */
const responseMs = 250;

/** Lists the caller's events after a cursor, in a range, or from now on. Waits up to `wait` for the first event if there is none yet. */
export async function listEvents(
  dependencies: EventFeedDependencies,
  request: ListEventsRequest,
  caller: ParticipantCaller,
  call: ListEventsCall,
): Promise<ListEventsResponse> {
  const { reader, view, now } = dependencies;
  const pageSize = request.pageSize === 0 ? defaultPageSize : request.pageSize;
  const wantedMs = request.wait === undefined ? 0 : durationMs(request.wait);
  // An empty page within the deadline is more useful than an exceeded deadline.
  const availableMs = Math.max(0, (call.timeoutMs() ?? wantedMs + responseMs) - responseMs);
  const deadlineMs = now() + Math.min(wantedMs, availableMs);
  const cursor = await startOf(reader, caller, request);
  if (deadlineMs <= now() || cursor.range !== undefined) {
    await reader.bringUpToDate(caller);
    return await responseOf(view, caller, await reader.readAfter(caller, cursor, pageSize));
  }
  return await poll(dependencies, caller, { cursor, pageSize, deadlineMs, call });
}

interface Poll {
  cursor: FeedCursor;
  pageSize: number;
  deadlineMs: number;
  call: ListEventsCall;
}

/** Reads until there is an event, the deadline passes, or the call or the gateway ends. */
async function poll(
  { reader, feeds, view, shares, now, stopping, stillValid }: EventFeedDependencies,
  caller: ParticipantCaller,
  { cursor, pageSize, deadlineMs, call }: Poll,
): Promise<ListEventsResponse> {
  const { signal } = call;
  const follower = followFeed({ reader, feeds, feed: caller, cursor });
  let giveBack: (() => void) | undefined;
  try {
    for (let isLast = false; ; ) {
      const page = await follower.next(pageSize);
      const leftMs = deadlineMs - now();
      const isDone = page.events.length > 0 || page.hasMore || isLast || leftMs <= 0 || stopping.aborted || signal.aborted;
      // Beyond the caller's limit the call responds at once, as if it did not ask to wait. That is more useful than an error.
      giveBack ??= isDone ? undefined : shares.take(caller.participantId);
      if (isDone || giveBack === undefined) return await responseOf(view, caller, page);
      call.onWait?.();
      isLast = !(await follower.wait(leftMs, [signal, stopping]));
      await stillValid(caller);
    }
  } finally {
    giveBack?.();
    follower.close();
  }
}

async function startOf(reader: FeedReader, feed: FeedName, { cursor, fromNow, range }: ListEventsRequest): Promise<FeedCursor> {
  if (cursor !== "") return decodeCursor(feed, cursor);
  if (fromNow && range !== undefined) throw invalidField("range", "must not be set together with from_now", "list_events.one_beginning");
  if (range !== undefined) return rangeCursor(range);
  return fromNow ? await reader.end(feed) : { number: 0 };
}

async function responseOf(view: EventView, feed: FeedName, { events, cursor, hasMore }: EventPage): Promise<ListEventsResponse> {
  return create(ListEventsResponseSchema, { events: await view(events), nextCursor: encodeCursor(feed, cursor), hasMore });
}
