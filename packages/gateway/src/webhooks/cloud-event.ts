import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { type Event, type EventType, EventTypeSchema, WebhookEventDataSchema } from "@petak/protocol";

/** The content type of every delivery: a CloudEvent in structured mode. */
export const cloudEventType = "application/cloudevents+json";

/** The type of a test event. It stands in no record. */
export const testEventType = "petak.v1.WEBHOOK_TEST";

const dataSchema = "urn:petak:v1:WebhookEventData";

/** What a CloudEvent says of itself. */
interface CloudEventFacts {
  id: string;
  type: string;
  subject: string;
  timeMs: number;
  data: MessageInitShape<typeof WebhookEventDataSchema>;
}

/** Writes events as they are delivered. */
export interface CloudEventWriter {
  /** A custody event. */
  event(event: Event): Buffer;
  /** A test of an endpoint. */
  test(eventId: string, endpointId: string, isTest: boolean, nowMs: number): Buffer;
}

/**
 * Makes the writer of a gateway's events: CloudEvents 1.0 as JSON. Their data is handles and nothing else; whoever may know more asks for it.
 *
 * @param audience names the gateway, as its request tokens do: it is the end of `source`
 */
export function createCloudEventWriter(audience: string): CloudEventWriter {
  const source = `urn:petak:gateway:${encodeURIComponent(audience)}`;

  function write({ id, type, subject, timeMs, data }: CloudEventFacts): Buffer {
    const event = {
      specversion: "1.0",
      id,
      source,
      type,
      subject,
      time: new Date(timeMs).toISOString(),
      datacontenttype: "application/json",
      dataschema: dataSchema,
      data: toJson(WebhookEventDataSchema, create(WebhookEventDataSchema, data)),
    };
    return Buffer.from(JSON.stringify(event));
  }

  return {
    event(event) {
      const { reservationId, siteId, stateAfter, reservationRevision, recordedAt, isTest, webhookEndpointId } = event;
      return write({
        id: event.eventId,
        type: cloudEventTypeOf(event.type),
        subject: subjectOf(event),
        timeMs: event.occurredAt === undefined ? 0 : timestampDate(event.occurredAt).getTime(),
        data: { reservationId, siteId, state: stateAfter, reservationRevision, recordedAt, isTest, webhookEndpointId },
      });
    },
    test: (id, endpointId, isTest, nowMs) =>
      write({ id, type: testEventType, subject: endpointId, timeMs: nowMs, data: { isTest, webhookEndpointId: endpointId } }),
  };
}

/** What an event is about: its reservation, else its endpoint, else its site. */
export function subjectOf({ reservationId, webhookEndpointId, siteId }: Event): string {
  return reservationId || webhookEndpointId || siteId;
}

/** The CloudEvents type of a type of event, e.g. `petak.v1.PARCEL_DEPOSITED`. */
export function cloudEventTypeOf(type: EventType): string {
  const value = EventTypeSchema.value[type];
  return `petak.v1.${value === undefined ? type : value.name.slice("EVENT_TYPE_".length)}`;
}
