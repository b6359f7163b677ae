import { create } from "@bufbuild/protobuf";
import { type ListKeysRequest, type ListKeysResponse, ListKeysResponseSchema } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { findSubject } from "./subject.ts";

export interface ListKeysDependencies {
  participants: Pick<ParticipantStore, "find" | "keysOf">;
}

/** Returns the keys and publishable keys of the caller, or for ADMIN of any participant. */
export async function listKeys(
  { participants }: ListKeysDependencies,
  request: ListKeysRequest,
  caller: ParticipantCaller,
): Promise<ListKeysResponse> {
  const { participantId } = await findSubject(participants, request.participantId, caller);
  return create(ListKeysResponseSchema, await participants.keysOf(participantId));
}
