import type { ParcelRequirement, PassedOverReason, Site } from "@petak/protocol";
import { isKnownAt, type Observation } from "../block/observation.ts";
import { countryNumber, recordFlag } from "../block/record.ts";
import { requirementFlag, siteFlags } from "../block/record-flags.ts";
import { fittingClasses } from "../block/size-profile.ts";
import { isAlwaysOpen, openingTimes } from "../hours/opening-times.ts";
import { isOpenAsAsked } from "../search/scan-context.ts";
import { createJudge, placeReason } from "./judge.ts";
import type { SiteQuery } from "./query.ts";

/** What a query says of a site that is known, whatever is free there. */
export interface SiteCheck {
  /** The first reason for which it would be passed over, or undefined. Never FULL. */
  reason: PassedOverReason | undefined;
  /** The first thing that the parcel needs and the site lacks, or undefined. */
  missing: ParcelRequirement | undefined;
  /** The indexes of the size classes that would do, smallest volume first. */
  classes: number[];
}

/**
 * Whether a site satisfies a query by its facts, and by when its counts were observed, as the search over the index would decide. Network and
 * distance are not looked at.
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
