import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { checkSite, type SiteQuery } from "@petak/allocator";
import { choiceLifetimeMs } from "@petak/credential";
import { isInService } from "@petak/lifecycle";
import {
  type CheckFitRequest,
  type CheckFitResponse,
  CheckFitResponseSchema,
  type ParcelRequirement,
  PassedOverReason,
  type SiteFit,
  SiteFitSchema,
  type SiteSummary,
} from "@petak/protocol";
import { freeToPromise, type OperatorNames, type SiteStore, type StoredSite, type TermsBook } from "@petak/records";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import type { Choices } from "../choice/choices.ts";
import { findVisibleSites } from "../sites/find-sites.ts";
import { checkFitQuery } from "../sites/nearest-query.ts";
import { summarise } from "../sites/site-summary.ts";
import { freshnessOf } from "./availability.ts";

export interface CheckFitDependencies {
  sites: Pick<SiteStore, "findAll">;
  termsBook: Pick<TermsBook, "at">;
  operatorNames: Pick<OperatorNames, "at">;
  choices: Pick<Choices, "sign">;
  now: () => number;
}

/** Greatest number of free places that an answer states: as a search does. */
const freeMax = 255;

/**
 * Checks a parcel against sites as Reserve would, and signs a choice for each where it fits. Reads the store and not the index, so it knows of every earlier hold.
 *
 * @throws {PetakError} SITE_NOT_FOUND if one of the sites is not in the caller's network.
 */
export async function checkFit(
  { sites, termsBook, operatorNames, choices, now }: CheckFitDependencies,
  request: CheckFitRequest,
  { participantId, mode }: ParticipantCaller | PublishableCaller,
): Promise<CheckFitResponse> {
  const nowMs = now();
  const query = checkFitQuery(request, mode === "test", nowMs);
  const found = await findVisibleSites(sites, request.siteIds, query.isTest);
  const facts = found.map(({ site }) => site);
  const [terms, names] = await Promise.all([termsBook.at(facts), operatorNames.at(facts)]);
  const fits = found.map(async (stored, index) => {
    const siteTerms = terms[index];
    if (siteTerms === undefined) throw new TypeError("a site without terms");
    const fit = fitOf(stored, summarise(stored.site, siteTerms, names[index] ?? ""), query, nowMs);
    if (!fit.fits || request.parcel === undefined) return fit;
    const { parcel, purpose } = request;
    const { siteId } = stored.site;
    fit.choice = await choices.sign({ participantId, siteId, sizeClassId: fit.sizeClassId, parcel, purpose, issuedAtMs: nowMs });
    fit.choiceExpiresAt = timestampFromMs(Math.floor(nowMs / 1000) * 1000 + choiceLifetimeMs);
    return fit;
  });
  return create(CheckFitResponseSchema, { fits: await Promise.all(fits), checkedAt: timestampFromMs(nowMs) });
}

function fitOf({ site, counts, observation, isOffered }: StoredSite, summary: SiteSummary, query: SiteQuery, nowMs: number): SiteFit {
  const { classes, reason: unmet, missing } = checkSite(query, site, observation);
  const free = classes
    .map((index) => ({ sizeClassId: site.sizeClasses[index]?.sizeClassId ?? "", free: freeOf(counts[index]) }))
    .find((place) => place.free > 0);
  const refused = isInService(site) ? PassedOverReason.INTAKE_PAUSED : PassedOverReason.NOT_IN_SERVICE;
  const ifOffered = unmet ?? (free === undefined ? PassedOverReason.FULL : PassedOverReason.UNSPECIFIED);
  const reason = isOffered ? ifOffered : refused;
  const fit = create(SiteFitSchema, {
    fits: reason === PassedOverReason.UNSPECIFIED,
    reason,
    sizeClassId: free?.sizeClassId ?? "",
    freeToPromise: Math.min(free?.free ?? 0, freeMax),
    ...freshnessOf(observation, nowMs),
  });
  fit.site = summary;
  if (reason === PassedOverReason.PARCEL_REQUIREMENT && missing !== undefined) fit.missingRequirement = missing satisfies ParcelRequirement;
  return fit;
}

function freeOf(count: StoredSite["counts"][number] | undefined): number {
  return count === undefined ? 0 : freeToPromise(count);
}
