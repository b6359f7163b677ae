import { EventType, WebhookFailure } from "@petak/protocol";
import type { EventStream, StoredWebhook } from "@petak/records";
import type { Logger } from "../../../observability/index.ts";
import { cloudEventTypeOf } from "../../feed/cloud-event-attributes.ts";
import { type DeliveryOutcome, regionOfEvent } from "./delivery.ts";
import { type DeliveryHealth, isFailing } from "./delivery-health.ts";
import { type WebhookAlarm, webhookEvent } from "./webhook-event.ts";

export interface EndpointAlarmDependencies {
  events: Pick<EventStream, "appendOnce">;
  logger: Logger;
  now: () => number;
}

/**
 * Records an event for the owner when an endpoint starts failing or is disabled: once each time, even if several gateways notice it. Returns the health
 * with the alarms recorded in it.
 */
export type EndpointAlarm = (
  endpoint: StoredWebhook,
  before: DeliveryHealth,
  after: DeliveryHealth,
  outcomes: readonly DeliveryOutcome[],
) => Promise<DeliveryHealth>;

/** Creates the alarm. */
export function createEndpointAlarm({ events, logger, now }: EndpointAlarmDependencies): EndpointAlarm {
  return async (endpoint, before, after, outcomes) => {
    const failed = outcomes.find(({ attempt }) => attempt !== undefined && attempt.failure !== WebhookFailure.UNSPECIFIED);
    const region = failed === undefined ? undefined : regionOfEvent(failed.delivery.id);
    if (region === undefined) return after;
    const { endpointId } = endpoint;
    const record = async (type: WebhookAlarm["type"], sinceMs: number) => {
      await events.appendOnce(region, `${endpointId}:${type}:${sinceMs}`, webhookEvent({ type, endpoint, region, nowMs: now() }));
      logger.warn({ endpoint_id: endpointId, event: cloudEventTypeOf(type) }, "webhook endpoint");
    };
    let health = after;
    if (isFailing(health) && health.failingSinceMs !== undefined && health.alarmedOfMs !== health.failingSinceMs) {
      await record(EventType.WEBHOOK_ENDPOINT_FAILING, health.failingSinceMs);
      health = { ...health, alarmedOfMs: health.failingSinceMs };
    }
    if (health.disabledMs !== undefined && before.disabledMs === undefined) {
      await record(EventType.WEBHOOK_ENDPOINT_DISABLED, health.disabledMs);
    }
    return health;
  };
}
