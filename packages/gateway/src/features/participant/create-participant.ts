import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type CreateParticipantRequest,
  CreateParticipantRequestSchema,
  type CreateParticipantResponse,
  CreateParticipantResponseSchema,
  Mode,
  ParticipantSchema,
} from "@petak/protocol";
import type { ParticipantStore, RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { derivedId } from "../idempotency/derived-id.ts";
import { refuseLiveFromTest } from "./subject.ts";

export interface CreateParticipantDependencies {
  /** Code of the store, which makes derived ids unique over stores. */
  storeCode: string;
  participants: Pick<ParticipantStore, "add">;
  requestIds: Pick<RequestIds, "claim">;
  now: () => number;
}

/**
 * Creates a participant. Its id is derived from the request, so that a duplicate gives the same one.
 *
 * @throws {PetakError} MODE_MISMATCH for a test key: a participant is in both networks.
 */
export async function createParticipant(
  { storeCode, participants, requestIds, now }: CreateParticipantDependencies,
  request: CreateParticipantRequest,
  caller: ParticipantCaller,
): Promise<CreateParticipantResponse> {
  refuseLiveFromTest(caller, Mode.LIVE);
  await claimRequest(requestIds, caller, CreateParticipantRequestSchema, request);
  const participant = create(ParticipantSchema, {
    participantId: `par_${derivedId(storeCode, caller, request, 16)}`,
    displayName: request.displayName,
    roles: request.roles,
    createdAt: timestampFromMs(now()),
  });
  return create(CreateParticipantResponseSchema, { participant: await participants.add(participant) });
}
