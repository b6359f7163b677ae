import { create, equals } from "@bufbuild/protobuf";
import {
  HoldLimitsSchema,
  Mode,
  type SetParticipantLimitsRequest,
  SetParticipantLimitsRequestSchema,
  type SetParticipantLimitsResponse,
  SetParticipantLimitsResponseSchema,
} from "@petak/protocol";
import type { ParticipantStore, RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { findSubject, refuseLiveFromTest } from "./subject.ts";

export interface SetParticipantLimitsDependencies {
  participants: Pick<ParticipantStore, "find" | "setHoldLimits">;
  requestIds: Pick<RequestIds, "claim" | "findResponse" | "storeResponse">;
}

const schemas = { request: SetParticipantLimitsRequestSchema, response: SetParticipantLimitsResponseSchema };

/**
 * Sets limits of a participant in place of the gateway's settings. Gateways learn of them when they next read the participant of a key, within 10 s.
 *
 * @param onUnchanged called if they are the same already
 * @throws {PetakError} PARTICIPANT_NOT_FOUND; MODE_MISMATCH for a test key, since the limits are those of the live network too.
 */
export async function setParticipantLimits(
  { participants, requestIds }: SetParticipantLimitsDependencies,
  request: SetParticipantLimitsRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<SetParticipantLimitsResponse> {
  refuseLiveFromTest(caller, Mode.LIVE);
  const found = await findSubject(participants, request.participantId, caller);
  return await once(requestIds, caller, schemas, request, async () => {
    const [before = create(HoldLimitsSchema), after = create(HoldLimitsSchema)] = [found.holdLimits, request.holdLimits];
    if ((found.holdLimits === undefined) === (request.holdLimits === undefined) && equals(HoldLimitsSchema, before, after)) onUnchanged();
    return create(SetParticipantLimitsResponseSchema, { participant: await participants.setHoldLimits(found, request.holdLimits) });
  });
}
