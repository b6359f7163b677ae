import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { eventSchemaVersion } from "@petak/lifecycle";
import { type Event, EventSchema, type EventType, newEventId, PartyKind, PartySchema, type Region } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";

/** Facts of an alarm about an endpoint. */
export interface WebhookAlarm {
  type: typeof EventType.WEBHOOK_ENDPOINT_FAILING | typeof EventType.WEBHOOK_ENDPOINT_DISABLED;
  endpoint: Pick<StoredWebhook, "endpointId" | "participantId" | "mode">;
  /** Region in whose event stream it is recorded: that of the event whose delivery failed. */
  region: Region;
  nowMs: number;
}

/** Makes an event about a webhook endpoint. Only the owner gets it. */
export function webhookEvent({ type, endpoint, region, nowMs }: WebhookAlarm): Event {
  const at = timestampFromMs(nowMs);
  return create(EventSchema, {
    eventId: newEventId(region),
    schemaVersion: eventSchemaVersion,
    type,
    participantId: endpoint.participantId,
    actor: create(PartySchema, { kind: PartyKind.GATEWAY }),
    occurredAt: at,
    recordedAt: at,
    isTest: endpoint.mode === "test",
    webhookEndpointId: endpoint.endpointId,
  });
}
