import { create } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type CloudEventAttributes, CloudEventAttributesSchema, type Event, type EventType, EventTypeSchema } from "@petak/protocol";

/** Schemas of the data of a CloudEvent: a whole event, or the data of a webhook. */
export const cloudEventData = { event: "urn:petak:v1:Event", webhook: "urn:petak:v1:WebhookEventData" } as const;

/** Digits of `sequence`. Numbers up to 2^48 have 15. */
const sequenceDigits = 16;

/**
 * The `source` of a gateway's events.
 *
 * @param audience names the gateway, as its request tokens do
 */
export function cloudEventSource(audience: string): string {
  return `urn:petak:gateway:${encodeURIComponent(audience)}`;
}

/** The CloudEvents attributes of an event, including its number in the recipient's feed. */
export function cloudEventAttributes(event: Event, source: string, dataschema: string): CloudEventAttributes {
  const attributes = create(CloudEventAttributesSchema);
  attributes.specversion = "1.0";
  attributes.id = event.eventId;
  attributes.source = source;
  attributes.type = cloudEventTypeOf(event.type);
  attributes.subject = subjectOf(event);
  attributes.time = (event.occurredAt === undefined ? new Date(0) : timestampDate(event.occurredAt)).toISOString();
  attributes.dataschema = dataschema;
  if (event.feedNumber > 0n) attributes.sequence = String(event.feedNumber).padStart(sequenceDigits, "0");
  return attributes;
}

/** The subject of an event: its reservation, or else its endpoint, or else its site. */
export function subjectOf({ reservationId, webhookEndpointId, siteId }: Event): string {
  return reservationId || webhookEndpointId || siteId;
}

/** The CloudEvents type of an event type, e.g. `petak.v1.PARCEL_DEPOSITED`. */
export function cloudEventTypeOf(type: EventType): string {
  const value = EventTypeSchema.value[type];
  return `petak.v1.${value === undefined ? type : value.name.slice("EVENT_TYPE_".length)}`;
}
