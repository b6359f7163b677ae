import { create } from "@bufbuild/protobuf";
import { type GetAvailabilityRequest, type GetAvailabilityResponse, GetAvailabilityResponseSchema } from "@petak/protocol";
import type { SiteStore } from "@petak/records";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import { findVisibleSites } from "../sites/find-sites.ts";
import { availabilityOf } from "./availability.ts";

export interface GetAvailabilityDependencies {
  sites: Pick<SiteStore, "findAll">;
  now: () => number;
}

/** Returns the availability of sites, in the order of the request. Throws SITE_NOT_FOUND if one of them is not in the caller's network. */
export async function getAvailability(
  { sites, now }: GetAvailabilityDependencies,
  { siteIds }: GetAvailabilityRequest,
  { mode }: ParticipantCaller | PublishableCaller,
): Promise<GetAvailabilityResponse> {
  const nowMs = now();
  const found = await findVisibleSites(sites, siteIds, mode === "test");
  return create(GetAvailabilityResponseSchema, { availabilities: found.map((stored) => availabilityOf(stored, nowMs)) });
}
