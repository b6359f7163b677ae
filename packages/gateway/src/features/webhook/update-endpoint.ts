import { isDeepStrictEqual } from "node:util";
import { create } from "@bufbuild/protobuf";
import {
  type UpdateEndpointRequest,
  UpdateEndpointRequestSchema,
  type UpdateEndpointResponse,
  UpdateEndpointResponseSchema,
} from "@petak/protocol";
import type { DeliveryStore, RequestIds, WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { fieldsOfFailing, healthIn } from "./delivery/delivery-health.ts";
import type { Dispatcher } from "./delivery/dispatcher.ts";
import { type ReachPolicy, requireEndpointUrl } from "./delivery/endpoint-url.ts";
import { type ViewDependencies, viewNow } from "./endpoint-view.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

export interface UpdateEndpointDependencies extends ViewDependencies {
  store: Pick<WebhookStore, "find" | "change">;
  deliveries: ViewDependencies["deliveries"] & Pick<DeliveryStore, "clear" | "bringForward">;
  dispatcher: Pick<Dispatcher, "wake">;
  requestIds: RequestIds;
  policy: ReachPolicy;
}

const schemas = { request: UpdateEndpointRequestSchema, response: UpdateEndpointResponseSchema };

/** Changes the fields that the request sets. `paused: false` also enables a disabled endpoint and retries failed deliveries at once. @param onUnchanged called if all of that is so already */
export async function updateEndpoint(
  dependencies: UpdateEndpointDependencies,
  request: UpdateEndpointRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<UpdateEndpointResponse> {
  const { store, deliveries, dispatcher, requestIds, policy, now } = dependencies;
  const before = await findOwnEndpoint(store, request.endpointId, caller);
  const { endpointId } = before;
  if (request.url !== undefined) requireEndpointUrl(request.url, policy);
  return await once(requestIds, caller, schemas, request, async () => {
    const changes = {
      ...(request.url === undefined ? {} : { url: request.url }),
      ...(request.filter === undefined ? {} : { eventTypes: request.filter.eventTypes }),
      ...(request.label === undefined ? {} : { label: request.label }),
      ...(request.paused === undefined ? {} : { isPaused: request.paused }),
    };
    const isEnabled = request.paused === false && healthIn(await deliveries.fields(endpointId)).disabledMs !== undefined;
    if (!isEnabled && isDeepStrictEqual({ ...before, ...changes }, before)) onUnchanged();
    await store.change(endpointId, changes);
    if (request.paused === false) {
      // The owner states that the endpoint works: failed deliveries are retried at once, and failures are counted from zero.
      await deliveries.clear(endpointId, fieldsOfFailing);
      await deliveries.bringForward(endpointId, now());
    }
    dispatcher.wake(endpointId);
    return create(UpdateEndpointResponseSchema, { endpoint: await viewNow(dependencies, endpointId, caller) });
  });
}
