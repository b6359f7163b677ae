import type { Event, Region } from "@petak/protocol";
import type { StoredRetry } from "@petak/records";
import { subjectOf } from "../../feed/cloud-event-attributes.ts";
import type { CloudEventWriter } from "./cloud-event.ts";
import type { Attempt } from "./post-event.ts";

/** One event on its way to one endpoint. */
export interface Delivery {
  /** The event's id. */
  id: string;
  /** What the event is about: events about one thing are sent one after another. */
  subject: string;
  /** The same bytes in every attempt. */
  body: Buffer;
  /** Attempts made so far. */
  attempts: number;
  /** When the first was made, in ms. */
  firstMs: number;
  /** Whether it is kept as a retry already. */
  isRetry: boolean;
}

/** A delivery and what came of it; without an attempt, there was none, because the gateway stops or the endpoint is gone. */
export interface DeliveryOutcome {
  delivery: Delivery;
  attempt: Attempt | undefined;
}

interface RetryContent {
  subject: string;
  attempts: number;
  firstMs: number;
  body: string;
}

/** The delivery of an event that was not tried yet. */
export function firstDelivery(event: Event, writer: CloudEventWriter, nowMs: number): Delivery {
  return { id: event.eventId, subject: subjectOf(event), body: writer.event(event), attempts: 0, firstMs: nowMs, isRetry: false };
}

/** A delivery as it is kept to be tried again. */
export function retryOf({ id, subject, attempts, firstMs, body }: Delivery, dueMs: number): StoredRetry {
  const content: RetryContent = { subject, attempts, firstMs, body: body.toString() };
  return { id, dueMs, content: Buffer.from(JSON.stringify(content)) };
}

/** Reads what {@link retryOf} wrote. */
export function deliveryOf({ id, content }: StoredRetry): Delivery {
  const { body, ...rest } = JSON.parse(content.toString()) as RetryContent;
  return { id, ...rest, body: Buffer.from(body), isRetry: true };
}

/** The region in whose record an event is. */
export function regionOfEvent(eventId: string): Region | undefined {
  return /^evt_(8[0-9a-f]{5})_/.exec(eventId)?.[1];
}

/** Deliveries by what they are about, in their order; of one event the first. */
export function bySubject(deliveries: Iterable<Delivery>): Delivery[][] {
  const seen = new Set<string>();
  const groups = new Map<string, Delivery[]>();
  for (const delivery of deliveries) {
    if (seen.has(delivery.id)) continue;
    seen.add(delivery.id);
    const group = groups.get(delivery.subject);
    if (group === undefined) groups.set(delivery.subject, [delivery]);
    else group.push(delivery);
  }
  return [...groups.values()];
}
