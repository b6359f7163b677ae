import { create } from "@bufbuild/protobuf";
import { type ListParticipantsRequest, type ListParticipantsResponse, ListParticipantsResponseSchema } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

export interface ListParticipantsDependencies {
  participants: Pick<ParticipantStore, "list">;
}

/** Returns all participants. */
export async function listParticipants(
  { participants }: ListParticipantsDependencies,
  _request: ListParticipantsRequest,
  _caller: ParticipantCaller,
): Promise<ListParticipantsResponse> {
  return create(ListParticipantsResponseSchema, { participants: await participants.list() });
}
