import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Mode, type WebhookEndpoint, WebhookEndpointSchema, type WebhookHealth, WebhookHealthSchema, WebhookState } from "@petak/protocol";
import type { StoredWebhook } from "@petak/records";
import { type DeliveryHealth, isFailing } from "./delivery/delivery-health.ts";
import { signingKeysAt } from "./delivery/signing-keys.ts";

/** What is known of an endpoint's deliveries. */
export interface DeliveryView {
  health: DeliveryHealth;
  pending: { count: number; nextMs: number | undefined };
  openReplays: number;
  /** How long the oldest event that was not tried has waited, in ms. Undefined where it was not looked at. */
  lagMs?: number;
}

/** What showing an endpoint needs. */
export interface WebhookViewOptions {
  nowMs: number;
  /** The public half of the nth key of an endpoint. */
  publicKey: (endpointId: string, number: number) => string;
}

/** An endpoint as its owner sees it. */
export function webhookView(endpoint: StoredWebhook, deliveries: DeliveryView, { nowMs, publicKey }: WebhookViewOptions): WebhookEndpoint {
  const { endpointId, participantId, mode, url, eventTypes, label, createdMs, verifiedMs } = endpoint;
  return create(WebhookEndpointSchema, {
    endpointId,
    participantId,
    mode: mode === "live" ? Mode.LIVE : Mode.TEST,
    url,
    ...(eventTypes.length === 0 ? {} : { filter: { eventTypes } }),
    label,
    state: stateOf(endpoint, deliveries.health),
    keys: signingKeysAt(endpoint, nowMs).map((key) => ({
      number: key.number,
      publicKey: publicKey(endpointId, key.number),
      createdAt: timestampFromMs(key.createdMs),
      ...atMs("expiresAt", key.expiresMs),
    })),
    createdAt: timestampFromMs(createdMs),
    ...atMs("verifiedAt", verifiedMs),
    health: healthView(deliveries),
  });
}

function stateOf({ isPaused }: StoredWebhook, health: DeliveryHealth): WebhookState {
  if (isPaused) return WebhookState.PAUSED;
  if (health.disabledMs !== undefined) return WebhookState.DISABLED;
  return isFailing(health) ? WebhookState.FAILING : WebhookState.ACTIVE;
}

function healthView({ health, pending, openReplays, lagMs }: DeliveryView): WebhookHealth {
  return create(WebhookHealthSchema, {
    ...atMs("lastSuccessAt", health.lastSuccessMs),
    ...atMs("lastFailureAt", health.lastFailureMs),
    lastFailure: health.lastFailure,
    lastFailureStatus: health.lastFailureStatus,
    consecutiveFailures: health.consecutiveFailures,
    ...atMs("failingSince", health.failingSinceMs),
    pendingRetries: pending.count,
    ...atMs("nextRetryAt", pending.nextMs),
    abandonedEvents: BigInt(health.abandoned),
    openReplays,
    ...(lagMs === undefined ? {} : { lag: durationFromMs(lagMs) }),
  });
}

function atMs<Name extends string>(name: Name, ms: number | undefined) {
  return ms === undefined ? {} : ({ [name]: timestampFromMs(ms) } as Record<Name, ReturnType<typeof timestampFromMs>>);
}
