import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CreateParticipantRequest,
  CreateParticipantRequestSchema,
  type CreateParticipantResponse,
  CreateParticipantResponseSchema,
  ParticipantSchema,
} from "@petak/protocol";
import type { ParticipantStore, RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { derivedId } from "../idempotency/derived-id.ts";

/** What adding a participant takes. */
export interface CreateParticipantDependencies {
  /** The code of the store, by which ids are its own. */
  storeCode: string;
  participants: Pick<ParticipantStore, "add">;
  requestIds: Pick<RequestIds, "claim">;
  now: () => number;
}

/** Adds a participant, whose id follows from the request: a duplicate gives the same one. */
export async function createParticipant(
  { storeCode, participants, requestIds, now }: CreateParticipantDependencies,
  request: CreateParticipantRequest,
  caller: ParticipantCaller,
): Promise<CreateParticipantResponse> {
  await claimRequest(requestIds, caller, CreateParticipantRequestSchema, request);
  const participant = create(ParticipantSchema, {
    participantId: `par_${derivedId(storeCode, caller, request, 16)}`,
    displayName: request.displayName,
    roles: request.roles,
    createdAt: timestampFromMs(now()),
  });
  return create(CreateParticipantResponseSchema, { participant: await participants.add(participant) });
}
