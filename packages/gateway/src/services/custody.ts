import { setTimeout as pause } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Allocator, type EventTail, reservationNotFound } from "@petak/allocator";
import { type CustodyService, type Event, ListEventsResponseSchema, PetakError, WatchEventsResponseSchema } from "@petak/protocol";
import { requireParticipant } from "../identity/index.ts";
import { decodeCursor, type EventCursor, encodeCursor } from "./event-cursor.ts";
import { createEventReader } from "./event-reader.ts";
import { isParty } from "./parties.ts";

/** What the record of custody needs. */
export interface CustodyDependencies {
  allocator: Allocator;
  tail: EventTail;
  now: () => number;
  /** Aborts when the gateway begins to stop. */
  stopping: AbortSignal;
}

/** Events of a page where a caller does not say how many. */
const defaultPageSize = 100;

/** Of a long poll's deadline, what is left for the answer itself, in ms. */
const answerMs = 250;

/** A stream that says nothing for longer looks dead to proxies and people. */
const heartbeatMs = 15_000;

/** The record of custody. */
export function createCustodyService({ allocator, tail, now, stopping }: CustodyDependencies): ServiceImpl<typeof CustodyService> {
  const reader = createEventReader(allocator.events);

  async function startAt(cursor: string, fromNow: boolean): Promise<EventCursor> {
    if (cursor !== "") return decodeCursor(cursor);
    return fromNow ? await reader.end() : new Map();
  }

  /** Waits for news at most so long, less where the caller leaves or the gateway stops. */
  async function waitForNews(seen: number, waitMs: number, signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const either = AbortSignal.any([signal, stopping, done.signal]);
    await Promise.race([tail.waitBeyond(seen, either), pause(waitMs, undefined, { signal: either }).catch(() => undefined)]);
    done.abort();
  }

  return {
    async listEvents(request, context) {
      const caller = requireParticipant(context);
      const mayKnow = (event: Event) => isParty(event, caller);
      const pageSize = request.pageSize === 0 ? defaultPageSize : request.pageSize;
      const wantedMs = request.wait === undefined ? 0 : durationMs(request.wait);
      // An empty answer in time says more than a deadline that passed.
      const patienceMs = Math.max(0, (context.timeoutMs() ?? wantedMs + answerMs) - answerMs);
      const deadlineMs = now() + Math.min(wantedMs, patienceMs);
      let cursor = await startAt(request.cursor, request.fromNow);
      for (;;) {
        const seen = tail.generation();
        const page = await reader.readAfter(cursor, pageSize, mayKnow);
        const leftMs = deadlineMs - now();
        if (page.events.length > 0 || page.hasMore || leftMs <= 0 || stopping.aborted || context.signal.aborted) {
          return create(ListEventsResponseSchema, { events: page.events, nextCursor: encodeCursor(page.cursor), hasMore: page.hasMore });
        }
        cursor = page.cursor;
        await waitForNews(seen, leftMs, context.signal);
      }
    },

    async *watchEvents(request, context) {
      const caller = requireParticipant(context);
      const mayKnow = (event: Event) => isParty(event, caller);
      let cursor = await startAt(request.cursor, request.fromNow);
      let lastSentMs = Number.NEGATIVE_INFINITY;
      for (;;) {
        // Looked at first: the stop aborts the stream's signal too, and an end without a reason would look like the end of all events.
        if (stopping.aborted) throw shuttingDown();
        if (context.signal.aborted) return;
        const seen = tail.generation();
        const page = await reader.readAfter(cursor, defaultPageSize, mayKnow);
        cursor = page.cursor;
        if (page.events.length > 0 || now() - lastSentMs >= heartbeatMs) {
          yield create(WatchEventsResponseSchema, { events: page.events, cursor: encodeCursor(cursor) });
          lastSentMs = now();
        }
        if (!page.hasMore) await waitForNews(seen, heartbeatMs, context.signal);
      }
    },

    async getCustodyChain(request, context) {
      const caller = requireParticipant(context);
      const [reservation, events] = await Promise.all([
        allocator.reservations.find(request.reservationId),
        allocator.events.chain(request.reservationId),
      ]);
      if (reservation === undefined || !isParty(reservation, caller)) throw reservationNotFound(request.reservationId);
      return { reservation, events };
    },
  };
}

function shuttingDown(): PetakError {
  return new PetakError("SHUTTING_DOWN", "the gateway is stopping; begin again with the last cursor", { retryAfterMs: 1000 });
}
