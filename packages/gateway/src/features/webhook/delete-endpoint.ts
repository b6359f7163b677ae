import { create } from "@bufbuild/protobuf";
import {
  type DeleteEndpointRequest,
  DeleteEndpointRequestSchema,
  type DeleteEndpointResponse,
  DeleteEndpointResponseSchema,
} from "@petak/protocol";
import type { DeliveryStore, RequestIds, WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import type { Dispatcher } from "./delivery/dispatcher.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

export interface DeleteEndpointDependencies {
  store: Pick<WebhookStore, "find" | "change" | "remove">;
  deliveries: Pick<DeliveryStore, "remove">;
  dispatcher: Pick<Dispatcher, "wake">;
  requestIds: RequestIds;
}

const schemas = { request: DeleteEndpointRequestSchema, response: DeleteEndpointResponseSchema };

/** Deletes an endpoint with its retries and replays. */
export async function deleteEndpoint(
  { store, deliveries, dispatcher, requestIds }: DeleteEndpointDependencies,
  request: DeleteEndpointRequest,
  caller: ParticipantCaller,
): Promise<DeleteEndpointResponse> {
  return await once(requestIds, caller, schemas, request, async () => {
    const endpoint = await findOwnEndpoint(store, request.endpointId, caller);
    const { endpointId } = endpoint;
    // Paused first, so that a gateway that finds it half removed sends nothing. A duplicate of the request still finds it.
    await store.change(endpointId, { isPaused: true });
    await deliveries.remove(endpointId);
    await store.remove(endpoint);
    dispatcher.wake(endpointId);
    return create(DeleteEndpointResponseSchema);
  });
}
