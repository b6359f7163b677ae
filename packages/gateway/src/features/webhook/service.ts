import type { ServiceImpl } from "@connectrpc/connect";
import type { WebhookService } from "@petak/protocol";
import type { Records, WebhookStore } from "@petak/records";
import { createCallerShares } from "../../identity/caller-shares.ts";
import { requireParticipant } from "../../identity/index.ts";
import { noteUnchanged } from "../audit/audited.ts";
import type { FeedReader } from "../feed/feed-reader.ts";
import { createEndpoint } from "./create-endpoint.ts";
import { deleteEndpoint } from "./delete-endpoint.ts";
import type { CloudEventWriter } from "./delivery/cloud-event.ts";
import type { Dispatcher } from "./delivery/dispatcher.ts";
import type { ReachPolicy } from "./delivery/endpoint-url.ts";
import type { SignAndPost } from "./delivery/sign-and-post.ts";
import { getEndpoint } from "./get-endpoint.ts";
import { listEndpoints } from "./list-endpoints.ts";
import { replayEvents } from "./replay-events.ts";
import { rotateEndpointKey } from "./rotate-endpoint-key.ts";
import { testEndpoint, testShares } from "./test-endpoint.ts";
import { updateEndpoint } from "./update-endpoint.ts";

export interface WebhookDependencies {
  records: Pick<Records, "deliveries" | "requestIds" | "siteIds">;
  store: WebhookStore;
  reader: FeedReader;
  dispatcher: Pick<Dispatcher, "wake">;
  signAndPost: SignAndPost;
  writer: CloudEventWriter;
  policy: ReachPolicy;
  /** Endpoints' keys are derived from it. */
  derivationKey: Uint8Array;
  now: () => number;
}

/** Creates the webhook service: for each call its handler. Every participant may make every call. */
export function createWebhookService({ records, ...rest }: WebhookDependencies): ServiceImpl<typeof WebhookService> {
  const { deliveries, requestIds, siteIds } = records;
  const dependencies = { ...rest, deliveries, requestIds, storeCode: siteIds.storeCode, tests: createCallerShares(testShares) };
  return {
    createEndpoint: (request, context) => createEndpoint(dependencies, request, requireParticipant(context)),
    listEndpoints: (request, context) => listEndpoints(dependencies, request, requireParticipant(context)),
    getEndpoint: (request, context) => getEndpoint(dependencies, request, requireParticipant(context)),
    updateEndpoint: (request, context) => updateEndpoint(dependencies, request, requireParticipant(context), noteUnchanged(context)),
    rotateEndpointKey: (request, context) => rotateEndpointKey(dependencies, request, requireParticipant(context)),
    testEndpoint: (request, context) => testEndpoint(dependencies, request, requireParticipant(context), context),
    replayEvents: (request, context) => replayEvents(dependencies, request, requireParticipant(context)),
    deleteEndpoint: (request, context) => deleteEndpoint(dependencies, request, requireParticipant(context)),
  };
}
