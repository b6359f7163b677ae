import { create } from "@bufbuild/protobuf";
import { type GetParticipantRequest, type GetParticipantResponse, GetParticipantResponseSchema } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { findSubject } from "./subject.ts";

export interface GetParticipantDependencies {
  participants: Pick<ParticipantStore, "find">;
}

/** Returns the caller itself, or for ADMIN any participant. */
export async function getParticipant(
  { participants }: GetParticipantDependencies,
  { participantId }: GetParticipantRequest,
  caller: ParticipantCaller,
): Promise<GetParticipantResponse> {
  return create(GetParticipantResponseSchema, { participant: await findSubject(participants, participantId, caller) });
}
