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

/** Sets the terms that apply at the caller's sites without terms of their own. */
export async function setDefaultTerms(
  { termsBook, requestIds }: SetDefaultTermsDependencies,
  request: SetDefaultTermsRequest,
  caller: ParticipantCaller,
): Promise<SetDefaultTermsResponse> {
  const { terms } = request;
  if (terms === undefined) throw new TypeError("validation accepted an empty field");
  checkTerms(terms, "terms", caller.mode === "test");
  return await once(requestIds, caller, schemas, request, async () => {
    await termsBook.setDefault({ operatorId: caller.participantId, isTest: caller.mode === "test" }, asGiven(terms));
    return create(SetDefaultTermsResponseSchema);
  });
}
