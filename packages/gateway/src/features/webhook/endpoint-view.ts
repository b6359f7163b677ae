import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Mode, type WebhookEndpoint, WebhookEndpointSchema, type WebhookHealth, WebhookHealthSchema, WebhookState } from "@petak/protocol";
import type { DeliveryStore, StoredWebhook, WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { deriveWebhookKey } from "../../secrets/webhook-keys.ts";
import { type DeliveryHealth, healthIn, isFailing } from "./delivery/delivery-health.ts";
import { signingKeysAt } from "./delivery/signing-keys.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

export interface ViewDependencies {
  store: Pick<WebhookStore, "find">;
  deliveries: Pick<DeliveryStore, "fields" | "pending" | "replays">;
  /** Endpoints' keys are derived from it, see {@link deriveWebhookKey}. */
  derivationKey: Uint8Array;
  now: () => number;
}

/** An endpoint as its owner sees it, with the health of its deliveries. @param lagMs age of the oldest pending event, in ms, if it was determined */
export async function viewOf(
  { deliveries, derivationKey, now }: ViewDependencies,
  endpoint: StoredWebhook,
  lagMs?: number,
): Promise<WebhookEndpoint> {
  const { endpointId, participantId, mode, url, eventTypes, label, createdMs, verifiedMs } = endpoint;
  const [fields, pending, replays] = await Promise.all([
    deliveries.fields(endpointId),
    deliveries.pending(endpointId),
    deliveries.replays(endpointId),
  ]);
  const health = healthIn(fields);
  return create(WebhookEndpointSchema, {
    endpointId,
    participantId,
    mode: mode === "live" ? Mode.LIVE : Mode.TEST,
    url,
    ...(eventTypes.length === 0 ? {} : { filter: { eventTypes } }),
    label,
    state: stateOf(endpoint, health),
    keys: signingKeysAt(endpoint, now()).map((key) => ({
      number: key.number,
      publicKey: deriveWebhookKey(derivationKey, endpointId, key.number).publicKey,
      createdAt: timestampFromMs(key.createdMs),
      ...atMs("expiresAt", key.expiresMs),
    })),
    createdAt: timestampFromMs(createdMs),
    ...atMs("verifiedAt", verifiedMs),
    health: healthView({ health, pending, openReplays: replays.length, lagMs }),
  });
}

/** {@link viewOf} the caller's endpoint as it is stored now. */
export async function viewNow(dependencies: ViewDependencies, endpointId: string, caller: ParticipantCaller): Promise<WebhookEndpoint> {
  return await viewOf(dependencies, await findOwnEndpoint(dependencies.store, endpointId, caller));
}

/** The state of an endpoint's deliveries. */
interface DeliveryView {
  health: DeliveryHealth;
  pending: { count: number; nextMs: number | undefined };
  openReplays: number;
  /** Age of the oldest event that was not attempted yet, in ms. Undefined: not determined. */
  lagMs: number | undefined;
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
