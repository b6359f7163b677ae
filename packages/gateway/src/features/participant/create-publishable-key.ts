import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CreatePublishableKeyRequest,
  CreatePublishableKeyRequestSchema,
  type CreatePublishableKeyResponse,
  CreatePublishableKeyResponseSchema,
  invalidField,
  Mode,
  PublishableKeySchema,
} from "@petak/protocol";
import type { ParticipantEvents, ParticipantStore, RequestIds } from "@petak/records";
import { modeName } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { tellOfNewKey } from "../keys/key-event.ts";
import { findSubject, refuseLiveFromTest } from "./subject.ts";

export interface CreatePublishableKeyDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  participants: Pick<ParticipantStore, "find" | "addPublishableKey" | "keysOf">;
  requestIds: Pick<RequestIds, "claim">;
  participantEvents: ParticipantEvents;
  now: () => number;
}

/** Rate limit of a publishable key if the request does not specify it, in requests per second. */
const defaultRequestsPerSecond = 50;

/** Creates a publishable key for web pages. It is derived from the request, so that a duplicate gives the same one. */
export async function createPublishableKey(
  { storeCode, participants, requestIds, participantEvents, now }: CreatePublishableKeyDependencies,
  request: CreatePublishableKeyRequest,
  caller: ParticipantCaller,
): Promise<CreatePublishableKeyResponse> {
  const { mode, origins, requestsPerSecond } = request;
  refuseLiveFromTest(caller, mode);
  const { participantId } = await findSubject(participants, request.participantId, caller);
  if (mode === Mode.LIVE && origins.includes("*")) {
    throw invalidField("origins", "must not contain * for a live key; name the origins of the pages", "publishable_key.origins");
  }
  await claimRequest(requestIds, caller, CreatePublishableKeyRequestSchema, request);
  const key = create(PublishableKeySchema, {
    publishableKey: `pk_${modeName(mode)}_${derivedId(storeCode, caller, request, 24)}`,
    participantId,
    mode,
    origins,
    requestsPerSecond: requestsPerSecond === 0 ? defaultRequestsPerSecond : requestsPerSecond,
    createdAt: timestampFromMs(now()),
  });
  const publishableKey = await participants.addPublishableKey(key, () =>
    tellOfNewKey({ participants, participantEvents }, key, caller, now()),
  );
  return create(CreatePublishableKeyResponseSchema, { publishableKey });
}
