import { create } from "@bufbuild/protobuf";
import {
  PetakError,
  type RevokeEnrolmentRequest,
  RevokeEnrolmentRequestSchema,
  type RevokeEnrolmentResponse,
  RevokeEnrolmentResponseSchema,
} from "@petak/protocol";
import type { Enrolments, RequestIds } from "@petak/records";
import { modeName } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { claimRequest } from "../idempotency/claim-request.ts";
import { codeUsed } from "./code-used.ts";

export interface RevokeEnrolmentDependencies {
  enrolments: Pick<Enrolments, "find" | "end">;
  requestIds: Pick<RequestIds, "claim">;
}

/**
 * Ends a code of the caller that has not been used.
 *
 * @param onUnchanged called if the caller has ended it before
 * @throws {PetakError} ENROLMENT_NOT_FOUND if it is unknown or not the caller's; ENROLMENT_CODE_USED, with the key, if a device was faster.
 */
export async function revokeEnrolment(
  { enrolments, requestIds }: RevokeEnrolmentDependencies,
  request: RevokeEnrolmentRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<RevokeEnrolmentResponse> {
  const { enrolmentId } = request;
  await claimRequest(requestIds, caller, RevokeEnrolmentRequestSchema, request);
  const { enrolment, end } = (await enrolments.find(enrolmentId)) ?? {};
  if (enrolment === undefined || enrolment.participantId !== caller.participantId || modeName(enrolment.mode) !== caller.mode) {
    throw new PetakError("ENROLMENT_NOT_FOUND", `enrolment ${JSON.stringify(enrolmentId)} does not exist, or the caller may not see it`, {
      metadata: { enrolment_id: enrolmentId },
    });
  }
  if (end === "revoked") onUnchanged();
  if ((await enrolments.end(enrolmentId, "revoked")) !== "revoked") throw codeUsed(enrolment, "revoke that key instead");
  return create(RevokeEnrolmentResponseSchema);
}
