import { create } from "@bufbuild/protobuf";
import { type GetLimitsRequest, type GetLimitsResponse, GetLimitsResponseSchema, Mode, parseSiteId } from "@petak/protocol";
import type { ParticipantStore, SiteStore } from "@petak/records";
import { modeName } from "../../identity/cached-key-directory.ts";
import type { ParticipantCaller } from "../../identity/index.ts";
import { findVisibleSites } from "../sites/find-sites.ts";
import type { LimitSource } from "./limit-source.ts";
import { findSubject, refuseLiveFromTest } from "./subject.ts";

export interface GetLimitsDependencies {
  participants: Pick<ParticipantStore, "find">;
  sites: Pick<SiteStore, "findAll">;
  limitSources: readonly LimitSource[];
}

/**
 * Returns the limits of the caller, or for ADMIN of any participant, and what is used of them.
 *
 * @throws {PetakError} PARTICIPANT_NOT_FOUND; SITE_NOT_FOUND; MODE_MISMATCH for the live network by a test key.
 */
export async function getLimits(
  { participants, sites, limitSources }: GetLimitsDependencies,
  { participantId: wanted, siteId: wantedSite, region: wantedRegion, mode: wantedMode }: GetLimitsRequest,
  caller: ParticipantCaller,
): Promise<GetLimitsResponse> {
  refuseLiveFromTest(caller, wantedMode);
  const mode = wantedMode === Mode.UNSPECIFIED ? caller.mode : modeName(wantedMode);
  const { participantId, holdLimits } = await findSubject(participants, wanted, caller);
  const siteId = wantedSite === "" ? undefined : wantedSite;
  if (siteId !== undefined) await findVisibleSites(sites, [siteId], mode === "test");
  const region = wantedRegion !== "" ? wantedRegion : siteId && parseSiteId(siteId)?.region;
  const found = await Promise.all(limitSources.map(async (source) => await source({ participantId, mode, holdLimits, region, siteId })));
  return create(GetLimitsResponseSchema, { limits: found.flat() });
}
