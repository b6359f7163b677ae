import { PassedOverReason } from "@petak/protocol";
import { countryNumber } from "../block/record.ts";
import { fittingClasses, parcelFits, type SizeClassFacts } from "../block/size-profile.ts";
import { flagChecks, type SiteQuery } from "./query.ts";

/** The data of a site that is compared with a query. */
export interface JudgedSite {
  /** Its record's flags. */
  flags: number;
  isWantedOperator: boolean;
  /** In the form of {@link countryNumber}. */
  country: number;
  /** Why none of its size classes satisfies the query, see {@link placeReason}. */
  placeReason: PassedOverReason | undefined;
  isOpen(): boolean;
  /** Whether its availability is known at the time that the query requires. */
  isKnown(): boolean;
  /** Whether a satisfying size class has a free place. */
  isFree(): boolean;
}

/**
 * Returns a function that tells why a query excludes a site: the first reason in numerical order, or undefined if the site satisfies the
 * query. Network and distance are left to the caller.
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
    // The three reasons about places have consecutive numbers, so each may take the position of the first.
    return reason === PassedOverReason.DOES_NOT_FIT ? site.placeReason : reason;
  };
}

/**
 * Why none of a site's size classes satisfies a query, free or not: DOES_NOT_FIT, REFRIGERATED or COMPARTMENT_HEIGHT; undefined if one
 * does.
 */
export function placeReason({ parcel, needs }: SiteQuery, classes: readonly SizeClassFacts[]): PassedOverReason | undefined {
  if (fittingClasses(parcel, classes, needs).length > 0) return undefined;
  const fitting = classes.filter((place) => parcelFits(parcel, place));
  if (fitting.length === 0) return PassedOverReason.DOES_NOT_FIT;
  const isCooled = needs?.refrigerated !== true || fitting.some(({ refrigerated }) => refrigerated);
  return isCooled ? PassedOverReason.COMPARTMENT_HEIGHT : PassedOverReason.REFRIGERATED;
}
