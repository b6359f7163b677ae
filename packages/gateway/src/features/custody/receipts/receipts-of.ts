import { receiptOf } from "@petak/credential";
import type { Event, EventReceipt, Receipt } from "@petak/protocol";

/** The event of a hand-over, with its receipt. */
export type EventWithReceipt = Event & { receipt: EventReceipt };

/** Whether an event has a receipt. */
export function hasReceipt(event: Event): event is EventWithReceipt {
  return event.receipt !== undefined;
}

/** The receipts of events, in the order of the chain. */
export async function receiptsOf(events: readonly Event[]): Promise<Receipt[]> {
  return await Promise.all(events.filter(hasReceipt).map((event) => receiptOf(event, event.receipt)));
}
