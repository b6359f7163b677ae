import { LimitKind } from "@petak/protocol";
import type { WebhookStore } from "@petak/records";
import { type LimitSource, usedLimit } from "../participant/limit-source.ts";
import { endpointsMax } from "../webhook/create-endpoint.ts";

/** The limit on webhook endpoints. */
export function webhookLimits(store: Pick<WebhookStore, "count">): LimitSource {
  return async ({ participantId, mode }) => [usedLimit(LimitKind.WEBHOOK_ENDPOINTS, endpointsMax, await store.count(participantId, mode))];
}
