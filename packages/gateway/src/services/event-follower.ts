import type { EventTail } from "@petak/allocator";
import type { Region } from "@petak/protocol";
import type { ParticipantCaller } from "../identity/index.ts";
import { type EventCursor, isBefore } from "./event-cursor.ts";
import type { EventPage, EventReader } from "./event-reader.ts";

/** One caller's reading of the records as they grow. */
export interface EventFollower {
  /** The next events, at most `pageSize`. */
  next(pageSize: number): Promise<EventPage>;
  /** Resolves with true when there is something to read, with false after `timeoutMs` or when a signal aborts. */
  wait(timeoutMs: number, signals: readonly AbortSignal[]): Promise<boolean>;
  /** Ends the following. May be called any number of times. */
  close(): void;
}

/** What a follower needs. */
export interface FollowerOptions {
  reader: EventReader;
  tail: EventTail;
  caller: ParticipantCaller;
  /** Where it begins. */
  cursor: EventCursor;
}

/**
 * Follows the records from a cursor: reads every region to its end once, and from then on only those in which something that concerns the
 * caller was recorded. Past the others its cursor moves without a read.
 */
export function followEvents({ reader, tail, caller, cursor }: FollowerOptions): EventFollower {
  // Subscribed before the first read: what is recorded in between comes twice to attention rather than never.
  const subscription = tail.subscribe(caller.participantId);
  const place = new Map(cursor);
  /** Regions not yet read to their ends; undefined: all. */
  let unread: Set<Region> | undefined;

  return {
    async next(pageSize) {
      const { toRead, toPass } = subscription.take();
      if (unread !== undefined) {
        for (const region of toRead) unread.add(region);
        for (const [region, entry] of toPass) {
          const reached = place.get(region);
          if (!unread.has(region) && (reached === undefined || isBefore(reached, entry))) place.set(region, entry);
        }
      }
      if (unread?.size === 0) return { events: [], cursor: new Map(place), unread };
      const page = await reader.readAfter(place, { caller, pageSize, ...(unread === undefined ? {} : { regions: unread }) });
      for (const [region, entry] of page.cursor) place.set(region, entry);
      unread = new Set(page.unread);
      return page;
    },
    wait: (timeoutMs, signals) => subscription.wait(timeoutMs, signals),
    close: () => subscription.close(),
  };
}
