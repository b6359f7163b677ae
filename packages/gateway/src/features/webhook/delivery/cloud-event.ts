import { create, type MessageInitShape, toJson } from "@bufbuild/protobuf";
import { CloudEventAttributesSchema, type Event, EventSchema, WebhookEventDataSchema } from "@petak/protocol";
import { cloudEventAttributes, cloudEventData, cloudEventSource } from "../../feed/cloud-event-attributes.ts";

/** The content type of every delivery: a CloudEvent in structured mode. */
export const cloudEventType = "application/cloudevents+json";

/** Type of a test event, which is never recorded. */
export const testEventType = "petak.v1.WEBHOOK_TEST";

/** Encodes events for delivery. */
export interface CloudEventWriter {
  /** A custody event. */
  event(event: Event): Buffer;
  /** A test of an endpoint. */
  test(eventId: string, endpointId: string, isTest: boolean, nowMs: number): Buffer;
}

/**
 * Creates an encoder of events as CloudEvents 1.0 in JSON. Their data are ids and states only; an authorized receiver asks the gateway for more.
 *
 * @param audience names the gateway at the end of `source`
 */
export function createCloudEventWriter(audience: string): CloudEventWriter {
  const source = cloudEventSource(audience);

  function write(
    attributes: MessageInitShape<typeof CloudEventAttributesSchema>,
    data: MessageInitShape<typeof WebhookEventDataSchema>,
    traceparent = "",
  ) {
    const event = {
      ...(toJson(CloudEventAttributesSchema, create(CloudEventAttributesSchema, attributes)) as object),
      // CloudEvents' extension for distributed tracing: where the event began, while the header is of the attempt.
      ...(traceparent !== "" && { traceparent }),
      datacontenttype: "application/json",
      data: toJson(WebhookEventDataSchema, create(WebhookEventDataSchema, data)),
    };
    return Buffer.from(JSON.stringify(event));
  }

  return {
    event(event) {
      const { reservationId, siteId, stateAfter, reservationRevision, recordedAt, isTest, webhookEndpointId, feedNumber } = event;
      const data = { reservationId, siteId, state: stateAfter, reservationRevision, recordedAt, isTest, webhookEndpointId, feedNumber };
      return write(cloudEventAttributes(event, source, cloudEventData.webhook), data, event.traceparent);
    },
    test(eventId, webhookEndpointId, isTest, nowMs) {
      const attributes = cloudEventAttributes(create(EventSchema, { eventId, webhookEndpointId }), source, cloudEventData.webhook);
      return write({ ...attributes, type: testEventType, time: new Date(nowMs).toISOString() }, { isTest, webhookEndpointId });
    },
  };
}
