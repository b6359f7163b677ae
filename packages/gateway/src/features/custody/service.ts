import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { isParty } from "@petak/lifecycle";
import {
  type CustodyService,
  invalidField,
  type ListEventsRequest,
  type ListEventsResponse,
  ListEventsResponseSchema,
  PetakError,
  Role,
  type WatchEventsRequest,
  WatchEventsResponseSchema,
} from "@petak/protocol";
import { type Allocator, type ParticipantFeeds, reservationNotFound } from "@petak/records";
import type { FeedName } from "@petak/redis";
import { type KeyDirectory, type ParticipantCaller, requireParticipant } from "../../identity/index.ts";
import { decodeCursor, encodeCursor, type FeedCursor, rangeCursor } from "../event-pages/feed-cursor.ts";
import { followFeed } from "../event-pages/feed-follower.ts";
import type { EventPage, FeedReader } from "../event-pages/feed-reader.ts";
import { createCallerShares } from "../limits/caller-shares.ts";
import type { Receipts } from "../receipts/receipts.ts";
import { createCorrectEvents } from "./correct-events.ts";
import { createCountersign, receiptsOf } from "./countersign-receipt.ts";
import type { EventView } from "./event-view.ts";

/** What the record of custody needs. */
export interface CustodyDependencies {
  allocator: Allocator;
  /** Where participants' keys are found. */
  keys: Pick<KeyDirectory, "findKey">;
  receipts: Receipts;
  feeds: ParticipantFeeds;
  reader: FeedReader;
  view: EventView;
  now: () => number;
  /** Aborts when the gateway begins to stop. */
  stopping: AbortSignal;
  /** Throws where the caller's key has been revoked since the call began: a call that waits outlives many a key. */
  stillValid: (caller: ParticipantCaller) => Promise<void>;
  /**
   * Calls of ListEvents that wait at once, all callers together. Each holds one of the places of unary calls, so this must be well below
   * their number. Default 256: half of it.
   */
  waitingPollsMax?: number;
}

/** Events of a page where a caller does not say how many. */
const defaultPageSize = 100;

/** Events of one message of a stream, as many as a page may have: about 350 kB. */
const streamPageSize = 1000;

/** Of a long poll's deadline, what is left for the answer itself, in ms. */
const answerMs = 250;

/** A stream that says nothing for longer looks dead to proxies and people. */
const heartbeatMs = 15_000;

/** Calls of ListEvents of one participant that wait at once: more than it has servers that read, and a small part of all that may wait. */
const waitingPollsPerCaller = 16;

/** Streams of one participant open at once: more than it has servers that read, and a small part of what a gateway holds open. */
const streamsPerCaller = 16;

/** When one who has too many streams open may come again, in ms: a stream lives long, and another does not end soon. */
const streamRetryAfterMs = 5000;

/** The record of custody. */
export function createCustodyService(dependencies: CustodyDependencies): ServiceImpl<typeof CustodyService> {
  const { allocator, receipts, feeds, reader, view, now, stopping, stillValid, waitingPollsMax = 256 } = dependencies;
  const countersign = createCountersign(dependencies);
  const correctEvents = createCorrectEvents(dependencies);
  const polls = createCallerShares({ perCaller: waitingPollsPerCaller, total: waitingPollsMax });
  const streams = createCallerShares({ perCaller: streamsPerCaller });

  async function listFrom(feed: FeedName, { cursor, fromNow, range }: ListEventsRequest): Promise<FeedCursor> {
    if (cursor !== "") return decodeCursor(feed, cursor);
    if (fromNow && range !== undefined) throw invalidField("range", "must not be set together with from_now", "list_events.one_beginning");
    if (range !== undefined) return rangeCursor(range);
    return fromNow ? await reader.end(feed) : { number: 0 };
  }

  async function watchFrom(feed: FeedName, { cursor, fromNow, fromNumber }: WatchEventsRequest): Promise<FeedCursor> {
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

  async function listed(feed: FeedName, { events, cursor, hasMore }: EventPage): Promise<ListEventsResponse> {
    return create(ListEventsResponseSchema, { events: await view(events), nextCursor: encodeCursor(feed, cursor), hasMore });
  }

  return {
    async listEvents(request, context) {
      const caller = requireParticipant(context);
      const pageSize = request.pageSize === 0 ? defaultPageSize : request.pageSize;
      const wantedMs = request.wait === undefined ? 0 : durationMs(request.wait);
      // An empty answer in time says more than a deadline that passed.
      const patienceMs = Math.max(0, (context.timeoutMs() ?? wantedMs + answerMs) - answerMs);
      const deadlineMs = now() + Math.min(wantedMs, patienceMs);
      const cursor = await listFrom(caller, request);
      if (deadlineMs <= now() || cursor.range !== undefined) {
        await reader.bringUpToDate(caller);
        return await listed(caller, await reader.readAfter(caller, cursor, pageSize));
      }

      const follower = followFeed({ reader, feeds, feed: caller, cursor });
      let giveBack: (() => void) | undefined;
      try {
        for (let isLast = false; ; ) {
          const page = await follower.next(pageSize);
          const leftMs = deadlineMs - now();
          const isDone = page.events.length > 0 || page.hasMore || isLast || leftMs <= 0 || stopping.aborted || context.signal.aborted;
          // Beyond the caller's share it is answered as if it would not wait: refusing it would say less.
          giveBack ??= isDone ? undefined : polls.take(caller.participantId);
          if (isDone || giveBack === undefined) return await listed(caller, page);
          isLast = !(await follower.wait(leftMs, [context.signal, stopping]));
          await stillValid(caller);
        }
      } finally {
        giveBack?.();
        follower.close();
      }
    },

    async *watchEvents(request, context) {
      const caller = requireParticipant(context);
      const giveBack = streams.take(caller.participantId);
      if (giveBack === undefined) throw tooManyStreams(caller);
      // The signal aborts at the end of every call, however it ends: a stream that nobody reads any more never comes to its end here.
      context.signal.addEventListener("abort", giveBack, { once: true });
      if (context.signal.aborted) giveBack();
      let close: (() => void) | undefined;
      try {
        const follower = followFeed({ reader, feeds, feed: caller, cursor: await watchFrom(caller, request) });
        close = follower.close;
        context.signal.addEventListener("abort", follower.close, { once: true });
        let beatAtMs = Number.NEGATIVE_INFINITY;
        let isBeatDue = true;
        for (;;) {
          // Looked at first: the stop aborts the stream's signal too, and an end without a reason would look like the end of all events.
          if (stopping.aborted) throw shuttingDown();
          if (context.signal.aborted) return;
          await stillValid(caller);
          const page = await follower.next(streamPageSize);
          if (page.events.length > 0 || isBeatDue || now() >= beatAtMs) {
            yield create(WatchEventsResponseSchema, { events: await view(page.events), cursor: encodeCursor(caller, page.cursor) });
            beatAtMs = now() + heartbeatMs;
            isBeatDue = false;
          }
          if (page.hasMore) continue;
          const quietMs = Math.min(heartbeatMs, Math.max(0, beatAtMs - now()));
          isBeatDue = !(await follower.wait(quietMs, [context.signal, stopping]));
        }
      } finally {
        close?.();
        giveBack();
      }
    },

    async getCustodyChain(request, context) {
      const caller = requireParticipant(context);
      // Before anything is read: what is stated of an instant must have all that was recorded until then.
      const asOfMs = now();
      const reservation = await allocator.reservations.find(request.reservationId);
      if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(request.reservationId);
      // What has come since the reservation was read is left out, so that its state and the end of its chain are those of the events.
      const { events: found, earlierCount } = await allocator.events.countedChain(request.reservationId);
      const events = await view(found.filter(({ reservationRevision }) => reservationRevision <= reservation.revision));
      const statement = await receipts.state({ reservation, events, earlierCount, asOfMs });
      return { reservation, events, receipts: await receiptsOf(events), statement };
    },

    async correctEvents(request, context) {
      const event = await correctEvents(request, requireParticipant(context, { roles: [Role.OPERATOR] }));
      return { event: (await view([event]))[0] };
    },

    countersignReceipt: (request, context) => countersign(request, requireParticipant(context)),
  };
}

function shuttingDown(): PetakError {
  return new PetakError("SHUTTING_DOWN", "the gateway is shutting down; resume with the last cursor", { retryAfterMs: 1000 });
}

function tooManyStreams({ participantId }: ParticipantCaller): PetakError {
  return new PetakError(
    "RATE_LIMITED",
    `'${participantId}' has ${streamsPerCaller} open WatchEvents streams at this gateway, its limit; ` +
      `close one, or try again in ${streamRetryAfterMs} ms`,
    { retryAfterMs: streamRetryAfterMs },
  );
}
