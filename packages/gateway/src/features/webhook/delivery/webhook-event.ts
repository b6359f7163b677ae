import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { eventSchemaVersion } from "@petak/lifecycle";
import { type Event, EventSchema, type EventType, newEventId, PartyKind, PartySchema, type Region } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";

/** What an alarm tells of. */
export interface WebhookAlarm {
  type: typeof EventType.WEBHOOK_ENDPOINT_FAILING | typeof EventType.WEBHOOK_ENDPOINT_DISABLED;
  endpoint: Pick<StoredWebhook, "endpointId" | "participantId" | "mode">;
  /** Where it is recorded: the region of the event whose delivery failed, since every event lies in a region. */
  region: Region;
  nowMs: number;
}

/** An event about a webhook endpoint. Its owner sees it, and nobody else. */
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
