import { create } from "@bufbuild/protobuf";
import { invalidField, PetakError, type WatchEventsRequest, type WatchEventsResponse, WatchEventsResponseSchema } from "@petak/protocol";
import type { FeedName } from "@petak/redis";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeCursor, encodeCursor, type FeedCursor } from "../feed/feed-cursor.ts";
import { followFeed } from "../feed/feed-follower.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import type { EventFeedDependencies } from "./event-feed.ts";

/** Most open streams of one participant at all gateways: more than it has servers that read, and a small part of what a gateway can hold. */
export const streamsPerCaller = 16;

/** Retry delay for a caller with too many open streams, in ms. Streams are long-lived, so none ends soon. */
const streamRetryAfterMs = 5000;

/** Most events in one message of a stream: as many as in a page, about 350 kB. */
const streamPageSize = 1000;

/** Interval of heartbeats, in ms. Proxies close streams that are silent for longer. */
const heartbeatMs = 15_000;

/**
 * Streams the caller's events as they are recorded. A message without events is sent after each {@link heartbeatMs} without events.
 *
 * @throws {PetakError} RATE_LIMITED if the caller has too many streams open; SHUTTING_DOWN when the gateway stops.
 */
export async function* watchEvents(
  { reader, feeds, view, shares, now, stopping, stillValid }: EventFeedDependencies,
  request: WatchEventsRequest,
  caller: ParticipantCaller,
  { signal }: { readonly signal: AbortSignal },
): AsyncGenerator<WatchEventsResponse, void> {
  const giveBack = shares.take(caller.participantId);
  if (giveBack === undefined) throw tooManyStreams(caller, shares.usedBy(caller.participantId));
  // The signal aborts at the end of every call. A generator that is no longer read would not reach its `finally`.
  signal.addEventListener("abort", giveBack, { once: true });
  if (signal.aborted) giveBack();
  let close: (() => void) | undefined;
  try {
    const follower = followFeed({ reader, feeds, feed: caller, cursor: await startOf(reader, caller, request) });
    close = follower.close;
    signal.addEventListener("abort", follower.close, { once: true });
    let beatAtMs = Number.NEGATIVE_INFINITY;
    let isBeatDue = true;
    for (;;) {
      // Checked first: a stop also aborts the stream's signal, and an end without an error would look like the end of all events.
      if (stopping.aborted) throw shuttingDown();
      if (signal.aborted) return;
      await stillValid(caller);
      const page = await follower.next(streamPageSize);
      if (page.events.length > 0 || isBeatDue || now() >= beatAtMs) {
        yield create(WatchEventsResponseSchema, { events: await view(page.events), cursor: encodeCursor(caller, page.cursor) });
        beatAtMs = now() + heartbeatMs;
        isBeatDue = false;
      }
      if (page.hasMore) continue;
      const quietMs = Math.min(heartbeatMs, Math.max(0, beatAtMs - now()));
      isBeatDue = !(await follower.wait(quietMs, [signal, stopping]));
    }
  } finally {
    close?.();
    giveBack();
  }
}

async function startOf(reader: FeedReader, feed: FeedName, { cursor, fromNow, fromNumber }: WatchEventsRequest): Promise<FeedCursor> {
  if (cursor !== "") {
    const { range: _, ...place } = decodeCursor(feed, cursor);
    return place;
  }
  if (fromNow && fromNumber > 0n) {
    throw invalidField("from_number", "must not be set together with from_now", "watch_events.one_beginning");
  }
  if (!fromNow) return { number: Math.max(0, Number(fromNumber) - 1) };
  return await reader.end(feed);
}

function shuttingDown(): PetakError {
  return new PetakError("SHUTTING_DOWN", "the gateway is shutting down; resume with the last cursor", { retryAfterMs: 1000 });
}

function tooManyStreams({ participantId }: ParticipantCaller, open: number): PetakError {
  return new PetakError(
    "RATE_LIMITED",
    `'${participantId}' has ${open} open WatchEvents streams at all gateways, its share; ` +
      `close one, or try again in ${streamRetryAfterMs} ms`,
    { retryAfterMs: streamRetryAfterMs },
  );
}
