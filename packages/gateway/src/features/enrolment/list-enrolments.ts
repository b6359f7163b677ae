import { create } from "@bufbuild/protobuf";
import { type ListEnrolmentsRequest, type ListEnrolmentsResponse, ListEnrolmentsResponseSchema } from "@petak/protocol";
import type { Enrolments, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { findOwnSite } from "../sites/find-sites.ts";
import { enrolmentView } from "./enrolment-view.ts";

export interface ListEnrolmentsDependencies {
  sites: Pick<SiteStore, "find">;
  enrolments: Pick<Enrolments, "at">;
  now: () => number;
}

/** Returns the latest enrolments of a site of the caller. */
export async function listEnrolments(
  { sites, enrolments, now }: ListEnrolmentsDependencies,
  { siteId }: ListEnrolmentsRequest,
  caller: ParticipantCaller,
): Promise<ListEnrolmentsResponse> {
  await findOwnSite(sites, siteId, caller);
  const found = await enrolments.at(siteId);
  return create(ListEnrolmentsResponseSchema, { enrolments: found.map(({ enrolment, end }) => enrolmentView(enrolment, end, now())) });
}
