import { PassedOverReason } from "@petak/protocol";
import { countryNumber } from "../block/record.ts";
import { fittingClasses, parcelFits, type SizeClassFacts } from "../block/size-profile.ts";
import { flagChecks, type SiteQuery } from "./query.ts";

/** What is known of a site that is judged. */
export interface JudgedSite {
  /** Its record's flags. */
  flags: number;
  isWantedOperator: boolean;
  /** As records have it. */
  country: number;
  /** Why none of its size classes would do, see {@link placeReason}. */
  placeReason: PassedOverReason | undefined;
  isOpen(): boolean;
  /** Whether it is known what is free, where the query asks for that. */
  isKnown(): boolean;
  /** Whether a size class that would do has a place free. */
  isFree(): boolean;
}

/**
 * Says why a query passes a site over: the first reason in the order of their numbers, or undefined where the site satisfies it. Distance
 * and network are the caller's to look at.
 */
export function createJudge(query: SiteQuery): (site: JudgedSite) => PassedOverReason | undefined {
  const { countryCodes = [] } = query;
  const countries = new Set(countryCodes.map(countryNumber));
  const conditions: [PassedOverReason, (site: JudgedSite) => boolean][] = flagChecks(query).map(({ reason, mask, value }) => [
    reason,
    ({ flags }) => (flags & mask) === value,
  ]);
  conditions.push(
    [PassedOverReason.OPERATOR, (site) => site.isWantedOperator],
    [PassedOverReason.COUNTRY, ({ country }) => countries.size === 0 || countries.has(country)],
    [PassedOverReason.DOES_NOT_FIT, (site) => site.placeReason === undefined],
    [PassedOverReason.CLOSED, (site) => site.isOpen()],
    [PassedOverReason.UNKNOWN_AVAILABILITY, (site) => site.isKnown()],
    [PassedOverReason.FULL, (site) => site.isFree()],
  );
  conditions.sort(([a], [b]) => a - b);
  return (site) => {
    const [reason] = conditions.find(([, isMet]) => !isMet(site)) ?? [];
    // The three reasons about places follow each other, so that any of them stands where the first does.
    return reason === PassedOverReason.DOES_NOT_FIT ? site.placeReason : reason;
  };
}

/** Why none of a site's size classes would do, whether free or not: DOES_NOT_FIT, REFRIGERATED or COMPARTMENT_HEIGHT. */
export function placeReason({ parcel, needs }: SiteQuery, classes: readonly SizeClassFacts[]): PassedOverReason | undefined {
  if (fittingClasses(parcel, classes, needs).length > 0) return undefined;
  const fitting = classes.filter((place) => parcelFits(parcel, place));
  if (fitting.length === 0) return PassedOverReason.DOES_NOT_FIT;
  const isCooled = needs?.refrigerated !== true || fitting.some(({ refrigerated }) => refrigerated);
  return isCooled ? PassedOverReason.COMPARTMENT_HEIGHT : PassedOverReason.REFRIGERATED;
}
