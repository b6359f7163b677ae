import type { ModeName } from "@petak/protocol";

/** The names of the keys under which webhook endpoints are kept. No other module spells one. */
export interface WebhookKeys {
  /** Set of the ids of all endpoints. */
  endpoints(): string;
  /** Sorted set of the ids of a participant's endpoints in one network, by the time in ms at which they were made. */
  endpointsOf(participantId: string, mode: ModeName): string;
  /** Hash of one endpoint. */
  endpoint(endpointId: string): string;
}

/** Key names under a prefix. */
export function createWebhookKeys(prefix: string): WebhookKeys {
  return {
    endpoints: () => `${prefix}:webhook-endpoints`,
    endpointsOf: (participantId, mode) => `${prefix}:webhook-endpoints-of:${mode}:${participantId}`,
    // Of the same slot as what is kept of its deliveries.
    endpoint: (endpointId) => `${prefix}:{${endpointId}}:endpoint`,
  };
}
