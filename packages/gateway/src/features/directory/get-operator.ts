import { create } from "@bufbuild/protobuf";
import { type GetOperatorRequest, type GetOperatorResponse, GetOperatorResponseSchema } from "@petak/protocol";
import type { OperatorLinksStore, ParticipantStore } from "@petak/records";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import { findOperator } from "../sites/find-operator.ts";

export interface GetOperatorDependencies {
  participants: Pick<ParticipantStore, "find">;
  operatorLinks: Pick<OperatorLinksStore, "find">;
}

/** Returns an operator's name and links. Throws PARTICIPANT_NOT_FOUND if there is no such operator. */
export async function getOperator(
  dependencies: GetOperatorDependencies,
  { operatorId }: GetOperatorRequest,
  { mode }: ParticipantCaller | PublishableCaller,
): Promise<GetOperatorResponse> {
  return create(GetOperatorResponseSchema, { operator: await findOperator(dependencies, operatorId, mode) });
}
