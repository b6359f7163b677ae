import { setTimeout as pause } from "node:timers/promises";
import { Code, ConnectError } from "@connectrpc/connect";
import type { PetakClient } from "@petak/client/node";
import type { Event } from "@petak/protocol";

/** Where to begin in a feed: after a cursor, or with the next event. */
export type FeedStart = { cursor: string } | { fromNow: true };

export interface FollowOptions {
  from: FeedStart;
  signal: AbortSignal;
  /** Gets the events of each message, and the cursor after them. */
  onEvents(events: readonly Event[], cursor: string): Promise<void>;
  /** Called once for each interruption of the stream, before it is opened again. */
  onLost(error: ConnectError): void;
}

/** Delay before the stream is opened again, in ms. It doubles up to 30 s. */
const firstDelayMs = 250;
const longestDelayMs = 30_000;

/** Reads a feed as it grows, until the signal aborts. Where the gateway is lost it waits and goes on after the last cursor. */
export async function followFeed({ custody }: PetakClient, { from, signal, onEvents, onLost }: FollowOptions): Promise<void> {
  let start = from;
  let delayMs = 0;
  while (!signal.aborted) {
    try {
      for await (const { events, cursor } of custody.watchEvents(start, { signal })) {
        await onEvents(events, cursor);
        start = { cursor };
        delayMs = 0;
      }
      // The gateway ends a stream when it stops.
      throw new ConnectError("the stream has ended", Code.Unavailable);
    } catch (error) {
      if (signal.aborted) return;
      if (!isPassing(error)) throw error;
      if (delayMs === 0) onLost(error);
      delayMs = Math.min(longestDelayMs, Math.max(firstDelayMs, delayMs * 2));
    }
    await pause(delayMs, undefined, { signal }).catch(() => undefined);
  }
}

/** Whether it may work again by itself. RESOURCE_EXHAUSTED: too many calls or streams are open, or those of a lost connection still are. */
export function isPassing(error: unknown): error is ConnectError {
  if (!(error instanceof ConnectError)) return false;
  return error.code === Code.Unavailable || error.code === Code.Aborted || error.code === Code.ResourceExhausted;
}
