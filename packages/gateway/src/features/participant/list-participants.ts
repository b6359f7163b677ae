import { create } from "@bufbuild/protobuf";
import { type ListParticipantsRequest, type ListParticipantsResponse, ListParticipantsResponseSchema } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeParticipantCursor, encodeParticipantCursor } from "./page-cursor.ts";

export interface ListParticipantsDependencies {
  participants: Pick<ParticipantStore, "list">;
}

/** Participants of a page unless the request says how many. */
const defaultPageSize = 100;

/** Returns a page of the participants. */
export async function listParticipants(
  { participants }: ListParticipantsDependencies,
  { pageSize, cursor }: ListParticipantsRequest,
  _caller: ParticipantCaller,
): Promise<ListParticipantsResponse> {
  const page = await participants.list(decodeParticipantCursor(cursor), pageSize || defaultPageSize);
  return create(ListParticipantsResponseSchema, {
    participants: page.participants,
    nextCursor: page.next === undefined ? "" : encodeParticipantCursor(page.next),
  });
}
