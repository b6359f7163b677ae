import type { ParcelRequirement, PassedOverReason, Site } from "@petak/protocol";
import { isKnownAt, type Observation } from "../block/observation.ts";
import { countryNumber, recordFlag } from "../block/record.ts";
import { requirementFlag, siteFlags } from "../block/record-flags.ts";
import { fittingClasses } from "../block/size-profile.ts";
import { isAlwaysOpen, openingTimes } from "../hours/opening-times.ts";
import { createJudge, placeReason } from "../query/judge.ts";
import type { SiteQuery } from "../query/query.ts";
import { isOpenAsAsked } from "./scan-context.ts";

/** Result of checking one site against a query, regardless of its free places. */
export interface SiteCheck {
  /** First reason for which the query excludes the site; undefined if none. Never FULL. */
  reason: PassedOverReason | undefined;
  /** First parcel requirement that the site does not meet; undefined if none. */
  missing: ParcelRequirement | undefined;
  /** Indexes of the size classes that satisfy the query, smallest volume first. */
  classes: number[];
}

/**
 * Checks a site's facts, and the age of its counts, against a query; decides as the index search does. Ignores the network and the
 * distance.
 */
export function checkSite(query: SiteQuery, site: Site, observation?: Observation): SiteCheck {
  const { operatorIds, excludedOperatorIds, parcel, parcelRequirements = [], needs, knownAtMs } = query;
  const { operatorId, sizeClasses } = site;
  const flags = siteFlags(site) | (observation === undefined ? 0 : recordFlag.reportsCapacity);
  const times = openingTimes(site.timeZone, site.openingHours);
  return {
    reason: createJudge(query)({
      flags,
      isWantedOperator: (operatorIds.length === 0 || operatorIds.includes(operatorId)) && !excludedOperatorIds.includes(operatorId),
      country: countryNumber(site.address?.countryCode ?? ""),
      placeReason: placeReason(query, sizeClasses),
      isOpen: () => needs === undefined || isOpenAsAsked(needs, isAlwaysOpen(times) ? undefined : times),
      isKnown: () => knownAtMs === undefined || isKnownAt(observation, knownAtMs),
      isFree: () => true,
    }),
    missing: parcelRequirements.find((requirement) => (flags & requirementFlag(requirement)) === 0),
    classes: fittingClasses(parcel, sizeClasses, needs),
  };
}
