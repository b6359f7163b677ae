import { setTimeout as wait } from "node:timers/promises";
import { reasonOf } from "@petak/client";
import { type Event, EventType } from "@petak/protocol";
import { isOver, type Order, type OrderBook } from "./orders.ts";
import type { Places, PlacesOptions } from "./places.ts";

/** Keeps the orders of a book up to date until it is stopped. The feed says that something has happened; what is true now, the reservation says. */
export async function followEvents(book: OrderBook, places: Places, options: PlacesOptions, signal: AbortSignal): Promise<void> {
  const { client, onError } = options;
  /** Where the feed was read to. A shop with a database keeps it there, beside its orders. */
  let cursor: string | undefined;
  while (!signal.aborted) {
    try {
      if (cursor === undefined) {
        const { nextCursor } = await client.custody.listEvents({ fromNow: true }, { signal });
        for (const order of book.all()) if (!isOver(order)) await places.refresh(order);
        cursor = nextCursor;
      }
      const { events, nextCursor } = await client.custody.listEvents({ cursor, wait: { seconds: 20n } }, { signal });
      for (const order of touchedBy(events, book)) await places.refresh(order);
      cursor = nextCursor;
    } catch (error) {
      if (signal.aborted) return;
      onError(error as Error);
      if (reasonOf(error) === "CURSOR_INVALID") cursor = undefined;
      await wait(1000, undefined, { signal }).catch(() => undefined);
    }
  }
}

/** The orders to which something has happened. Those whose code opens no door any more forget it: the next who looks gets another one. */
function touchedBy(events: readonly Event[], book: OrderBook): ReadonlySet<Order> {
  const touched = new Set<Order>();
  for (const { type, reservationId } of events) {
    for (const order of book.all()) {
      const isItsOwn = order.reservation.reservationId === reservationId;
      if (isItsOwn) touched.add(order);
      if ((isItsOwn && type === EventType.PIN_ENDED) || type === EventType.ISSUER_KEY_REVOKED) order.code = undefined;
    }
  }
  return touched;
}
