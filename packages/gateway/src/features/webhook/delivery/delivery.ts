import type { Event, Region } from "@petak/protocol";
import type { StoredRetry } from "@petak/records";
import { subjectOf } from "../../feed/cloud-event-attributes.ts";
import type { CloudEventWriter } from "./cloud-event.ts";
import type { Attempt } from "./post-event.ts";

/** The delivery of one event to one endpoint. */
export interface Delivery {
  /** The event's id. */
  id: string;
  /** Subject of the event. Events with the same subject are sent one after another. */
  subject: string;
  /** The same bytes in every attempt. */
  body: Buffer;
  /** The trace of the call that caused the event. Undefined: none that is recorded. */
  traceparent?: string | undefined;
  /** Attempts made so far. */
  attempts: number;
  /** Time of the first attempt, in ms. */
  firstMs: number;
  /** Whether it is already stored as a retry. */
  isRetry: boolean;
}

/** A delivery and its outcome. */
export interface DeliveryOutcome {
  delivery: Delivery;
  /** Undefined: not attempted, because the gateway stops or the endpoint was changed. */
  attempt: Attempt | undefined;
}

interface RetryContent {
  subject: string;
  attempts: number;
  firstMs: number;
  body: string;
  traceparent?: string | undefined;
}

/** The delivery of an event that was not attempted yet. */
export function firstDelivery(event: Event, writer: CloudEventWriter, nowMs: number): Delivery {
  const { eventId: id, traceparent } = event;
  const delivery = { id, subject: subjectOf(event), body: writer.event(event), attempts: 0, firstMs: nowMs, isRetry: false };
  return traceparent === "" ? delivery : { ...delivery, traceparent };
}

/** Encodes a delivery as a retry. */
export function retryOf({ id, subject, attempts, firstMs, body, traceparent }: Delivery, dueMs: number): StoredRetry {
  const content: RetryContent = { subject, attempts, firstMs, body: body.toString(), traceparent };
  return { id, dueMs, content: Buffer.from(JSON.stringify(content)) };
}

/** Decodes what {@link retryOf} encodes. */
export function deliveryOf({ id, content }: StoredRetry): Delivery {
  const { body, ...rest } = JSON.parse(content.toString()) as RetryContent;
  return { id, ...rest, body: Buffer.from(body), isRetry: true };
}

/** The region in whose event stream an event is. */
export function regionOfEvent(eventId: string): Region | undefined {
  return /^evt_(8[0-9a-f]{5})_/.exec(eventId)?.[1];
}

/** Groups deliveries by subject, in their order. Of several deliveries of one event only the first is kept. */
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
