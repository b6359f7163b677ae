import { create } from "@bufbuild/protobuf";
import { type ListEndpointsRequest, type ListEndpointsResponse, ListEndpointsResponseSchema } from "@petak/protocol";
import type { WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { type ViewDependencies, viewOf } from "./endpoint-view.ts";

export interface ListEndpointsDependencies extends ViewDependencies {
  store: Pick<WebhookStore, "find" | "listOf">;
}

/** Returns the caller's endpoints in the network of its key. */
export async function listEndpoints(
  dependencies: ListEndpointsDependencies,
  _request: ListEndpointsRequest,
  { participantId, mode }: ParticipantCaller,
): Promise<ListEndpointsResponse> {
  const endpoints = await dependencies.store.listOf(participantId, mode);
  return create(ListEndpointsResponseSchema, {
    endpoints: await Promise.all(endpoints.map((endpoint) => viewOf(dependencies, endpoint))),
  });
}
