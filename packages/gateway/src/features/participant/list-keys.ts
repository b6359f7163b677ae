import { create } from "@bufbuild/protobuf";
import { type ListKeysRequest, type ListKeysResponse, ListKeysResponseSchema } from "@petak/protocol";
import type { ParticipantStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { decodeKeyCursor, encodeKeyCursor } from "./page-cursor.ts";
import { findSubject } from "./subject.ts";

export interface ListKeysDependencies {
  participants: Pick<ParticipantStore, "find" | "keysOf">;
  now: () => number;
}

/** Keys of a page unless the request says how many. */
const defaultPageSize = 100;

/** Returns a page of the keys and publishable keys of the caller, or for ADMIN of any participant. */
export async function listKeys(
  { participants, now }: ListKeysDependencies,
  request: ListKeysRequest,
  caller: ParticipantCaller,
): Promise<ListKeysResponse> {
  const { participantId } = await findSubject(participants, request.participantId, caller);
  const after = decodeKeyCursor(participantId, request.cursor);
  const { keys, publishableKeys, next } = await participants.keysOf(participantId, after, request.pageSize || defaultPageSize, now());
  return create(ListKeysResponseSchema, {
    keys,
    publishableKeys,
    nextCursor: next === undefined ? "" : encodeKeyCursor(participantId, next),
  });
}
