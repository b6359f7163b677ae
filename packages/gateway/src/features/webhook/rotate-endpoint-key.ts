import { create } from "@bufbuild/protobuf";
import { durationMs } from "@bufbuild/protobuf/wkt";
import {
  type RotateEndpointKeyRequest,
  RotateEndpointKeyRequestSchema,
  type RotateEndpointKeyResponse,
  RotateEndpointKeyResponseSchema,
} from "@petak/protocol";
import type { RequestIds, WebhookStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { type ViewDependencies, viewNow } from "./endpoint-view.ts";
import { findOwnEndpoint } from "./own-endpoint.ts";

/** What rotating an endpoint's key takes. */
export interface RotateEndpointKeyDependencies extends ViewDependencies {
  store: Pick<WebhookStore, "find" | "addKey">;
  requestIds: RequestIds;
}

/** How long the old key still signs if the request does not say, in ms: a day, in which a receiver can be deployed. */
const overlapDefaultMs = 24 * 3_600_000;

const schemas = { request: RotateEndpointKeyRequestSchema, response: RotateEndpointKeyResponseSchema };

/** Gives an endpoint a new signing key. The old one signs beside it for the overlap. */
export async function rotateEndpointKey(
  dependencies: RotateEndpointKeyDependencies,
  request: RotateEndpointKeyRequest,
  caller: ParticipantCaller,
): Promise<RotateEndpointKeyResponse> {
  const { store, requestIds, now } = dependencies;
  const { endpointId } = await findOwnEndpoint(store, request.endpointId, caller);
  const overlapMs = request.overlap === undefined ? overlapDefaultMs : durationMs(request.overlap);
  return await once(requestIds, caller, schemas, request, async () => {
    await store.addKey(endpointId, { createdMs: now(), overlapMs, requestId: request.requestId });
    return create(RotateEndpointKeyResponseSchema, { endpoint: await viewNow(dependencies, endpointId, caller) });
  });
}
