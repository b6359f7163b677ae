import { create } from "@bufbuild/protobuf";
import {
  invalidField,
  type OperatorLinks,
  OperatorLinksSchema,
  type SetOperatorLinksRequest,
  SetOperatorLinksRequestSchema,
  type SetOperatorLinksResponse,
  SetOperatorLinksResponseSchema,
} from "@petak/protocol";
import type { OperatorLinksStore, ParticipantStore, RequestIds } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { findOperator, requireOperator } from "../sites/find-operator.ts";
import { findSubject } from "./subject.ts";

export interface SetOperatorLinksDependencies {
  participants: Pick<ParticipantStore, "find">;
  operatorLinks: OperatorLinksStore;
  requestIds: RequestIds;
}

const schemas = { request: SetOperatorLinksRequestSchema, response: SetOperatorLinksResponseSchema };

/** Sets the links of the caller, or for ADMIN of any operator, in the network of the caller's key. @param onUnchanged called if they are the same already */
export async function setOperatorLinks(
  dependencies: SetOperatorLinksDependencies,
  request: SetOperatorLinksRequest,
  caller: ParticipantCaller,
  onUnchanged: () => void,
): Promise<SetOperatorLinksResponse> {
  const { participants, operatorLinks, requestIds } = dependencies;
  const links = request.links ?? create(OperatorLinksSchema);
  checkLinks(links);
  const subject = await findSubject(participants, request.operatorId, caller);
  const { participantId } = requireOperator(subject, subject.participantId);
  return await once(requestIds, caller, schemas, request, async () => {
    if (!(await operatorLinks.set(participantId, caller.mode, links))) onUnchanged();
    return create(SetOperatorLinksResponseSchema, { operator: await findOperator(dependencies, participantId, caller.mode) });
  });
}

/** Throws INVALID_FIELD for a link that the schema accepts and that is no URL, or one with user name or password, by which it could seem to lead elsewhere. */
function checkLinks({ websiteUrl, supportUrl }: OperatorLinks): void {
  const fields = { website_url: websiteUrl, support_url: supportUrl };
  for (const [field, link] of Object.entries(fields)) {
    if (link === "") continue;
    const url = URL.canParse(link) ? new URL(link) : undefined;
    if (url === undefined || url.protocol !== "https:" || url.username !== "" || url.password !== "" || link.includes("\\")) {
      throw invalidField(`links.${field}`, "must be an https URL without user name and password", "operator_links.url");
    }
  }
}
