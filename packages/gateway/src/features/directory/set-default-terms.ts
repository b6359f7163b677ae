import { create } from "@bufbuild/protobuf";
import { asGiven, checkTerms } from "@petak/lifecycle";
import {
  type SetDefaultTermsRequest,
  SetDefaultTermsRequestSchema,
  type SetDefaultTermsResponse,
  SetDefaultTermsResponseSchema,
} from "@petak/protocol";
import type { RequestIds, TermsBook } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";

export interface SetDefaultTermsDependencies {
  termsBook: Pick<TermsBook, "setDefault">;
  requestIds: RequestIds;
}

const schemas = { request: SetDefaultTermsRequestSchema, response: SetDefaultTermsResponseSchema };

/** Sets the terms that apply at the caller's sites without terms of their own. @param onUnchanged called if they are the same already */
export async function setDefaultTerms(
  { termsBook, requestIds }: SetDefaultTermsDependencies,
  request: SetDefaultTermsRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<SetDefaultTermsResponse> {
  const { terms } = request;
  if (terms === undefined) throw new TypeError("validation accepted an empty field");
  checkTerms(terms, "terms", caller.mode === "test");
  return await once(requestIds, caller, schemas, request, async () => {
    const operator = { operatorId: caller.participantId, isTest: caller.mode === "test" };
    if (!(await termsBook.setDefault(operator, asGiven(terms)))) onUnchanged();
    return create(SetDefaultTermsResponseSchema);
  });
}
