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

export interface RotateEndpointKeyDependencies extends ViewDependencies {
  store: Pick<WebhookStore, "find" | "addKey">;
  requestIds: RequestIds;
}

/** Overlap of the old key if the request does not specify it, in ms: a day, enough to deploy a receiver. */
const overlapDefaultMs = 24 * 3_600_000;

const schemas = { request: RotateEndpointKeyRequestSchema, response: RotateEndpointKeyResponseSchema };

/** Adds a signing key to an endpoint. The old key signs too during the overlap. */
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
