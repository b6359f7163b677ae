import { create } from "@bufbuild/protobuf";
import {
  type CreateEndpointRequest,
  CreateEndpointRequestSchema,
  type CreateEndpointResponse,
  CreateEndpointResponseSchema,
  PetakError,
} from "@petak/protocol";
import type { DeliveryStore, RequestIds, WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeCursor, encodeCursor } from "../feed/feed-cursor.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { once } from "../idempotency/once.ts";
import type { Dispatcher } from "./delivery/dispatcher.ts";
import { type ReachPolicy, requireEndpointUrl } from "./delivery/endpoint-url.ts";
import { type ViewDependencies, viewNow } from "./endpoint-view.ts";

export interface CreateEndpointDependencies extends ViewDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  store: Pick<WebhookStore, "find" | "add">;
  deliveries: ViewDependencies["deliveries"] & Pick<DeliveryStore, "begin" | "remove">;
  reader: Pick<FeedReader, "end">;
  dispatcher: Pick<Dispatcher, "wake">;
  requestIds: RequestIds;
  policy: ReachPolicy;
}

/** Most endpoints of one participant in each network: enough for one endpoint for each of its systems. */
export const endpointsMax = 20;

const schemas = { request: CreateEndpointRequestSchema, response: CreateEndpointResponseSchema };

/** Creates an endpoint that gets the events after `cursor`, or those recorded from now on. Its id is derived from the request. */
export async function createEndpoint(
  dependencies: CreateEndpointDependencies,
  request: CreateEndpointRequest,
  caller: ParticipantCaller,
): Promise<CreateEndpointResponse> {
  const { storeCode, store, deliveries, reader, dispatcher, requestIds, policy, now } = dependencies;
  const { participantId, mode } = caller;
  requireEndpointUrl(request.url, policy);
  const start = request.cursor === "" ? undefined : decodeCursor(caller, request.cursor);
  return await once(requestIds, caller, schemas, request, async () => {
    const endpointId = `whe_${mode}_${derivedId(storeCode, caller, request, 16)}`;
    // The cursor is stored first, because a gateway that finds the endpoint starts to deliver.
    const { range: _, ...place } = start ?? (await reader.end(caller));
    await deliveries.begin(endpointId, { cursor: encodeCursor(caller, place) });
    const endpoint = {
      endpointId,
      participantId,
      mode,
      createdMs: now(),
      url: request.url,
      eventTypes: request.filter?.eventTypes ?? [],
      label: request.label,
      isPaused: false,
      keys: [{ number: 1, createdMs: now(), overlapMs: 0, requestId: request.requestId }],
    };
    if (!(await store.add(endpoint, endpointsMax))) {
      await deliveries.remove(endpointId);
      throw endpointsExhausted(caller);
    }
    dispatcher.wake(endpointId);
    return create(CreateEndpointResponseSchema, { endpoint: await viewNow(dependencies, endpointId, caller) });
  });
}

function endpointsExhausted({ participantId, mode }: ParticipantCaller): PetakError {
  return new PetakError(
    "WEBHOOK_ENDPOINTS_EXHAUSTED",
    `'${participantId}' has ${endpointsMax} ${mode} webhook endpoints, its limit; delete one first`,
    { metadata: { limit: String(endpointsMax), subject: participantId } },
  );
}
