import { ParcelRequirement, PassedOverReason, type Site, SiteKind, SiteService, type SizeClass } from "@petak/protocol";
import { greatCircleM, quantise } from "@petak/protocol/geo";
import { isOpenByTheClock, openMsByTheClock } from "../../hours/testing/wall-clock.ts";
import type { NearestQuery } from "../../query/query.ts";

/** A site and its free places, as a test knows them. */
export interface KnownSite {
  siteId: string;
  site: Site;
  /** Places free of each size class. */
  free: number[];
  /** Time until which its availability is known, in ms since 1970, exclusive; Infinity: always. */
  knownUntilMs: number;
}

const services: [ParcelRequirement, SiteService][] = [
  [ParcelRequirement.AGE_CHECK, SiteService.AGE_CHECK],
  [ParcelRequirement.ID_CHECK, SiteService.ID_CHECK],
  [ParcelRequirement.CASH_ON_DELIVERY, SiteService.CASH_ON_DELIVERY],
  [ParcelRequirement.DANGEROUS_GOODS, SiteService.DANGEROUS_GOODS],
  [ParcelRequirement.PERSONAL_COLLECTION, SiteService.PERSONAL_COLLECTION],
];

/** Whether a site's hours satisfy a query. Memoised, since checking every minute is slow. */
export type OpenLookup = (site: Site, needs: NonNullable<NearestQuery["needs"]>) => boolean;

/** Creates a lookup that checks local time. Both ends of a window must be whole minutes. */
export function createOpenLookup(): OpenLookup {
  const knownOf = new Map<object, Map<string, boolean>>();
  return ({ timeZone, openingHours }, { openAtMs, openWithin }) => {
    if (openingHours === undefined) throw new TypeError("a site without hours");
    const known = knownOf.get(openingHours) ?? new Map<string, boolean>();
    knownOf.set(openingHours, known);
    const key = [timeZone, openAtMs, ...Object.values(openWithin ?? {})].join(" ");
    let isOpen = known.get(key);
    if (isOpen === undefined) {
      isOpen = openAtMs === undefined || isOpenByTheClock(timeZone, openingHours, openAtMs);
      if (openWithin !== undefined) {
        isOpen &&= openMsByTheClock(timeZone, openingHours, openWithin.fromMs, openWithin.toMs) >= openWithin.atLeastMs;
      }
      known.set(key, isOpen);
    }
    return isOpen;
  };
}

/** Why a query excludes a site, checked one constraint at a time; undefined if it does not. A reference implementation for tests. */
export function reasonByHand(
  { site, free, knownUntilMs }: KnownSite,
  query: NearestQuery,
  isOpen: OpenLookup,
): PassedOverReason | undefined {
  const { needs, countryCodes = [], parcelRequirements = [] } = query;
  if (query.kinds.length > 0 && !query.kinds.includes(site.kind)) return PassedOverReason.KIND;
  if (query.operatorIds.length > 0 && !query.operatorIds.includes(site.operatorId)) return PassedOverReason.OPERATOR;
  if (query.excludedOperatorIds.includes(site.operatorId)) return PassedOverReason.OPERATOR;
  if (site.purposes.length > 0 && !site.purposes.includes(query.purpose)) return PassedOverReason.PURPOSE;
  if (countryCodes.length > 0 && !countryCodes.includes(site.address?.countryCode ?? "")) return PassedOverReason.COUNTRY;
  for (const requirement of parcelRequirements) {
    const [, service] = services.find(([needed]) => needed === requirement) ?? [];
    const isMet = service === undefined ? site.kind === SiteKind.COLLECTION_POINT : site.services.includes(service);
    if (!isMet) return PassedOverReason.PARCEL_REQUIREMENT;
  }
  if (needs?.stepFree && !site.access?.stepFree) return PassedOverReason.STEP_FREE;
  if (needs?.cardPayment && !site.equipment?.cardPayment) return PassedOverReason.CARD_PAYMENT;
  let classes = site.sizeClasses.map((place, index) => ({ place, index })).filter(({ place }) => fitsByHand(query.parcel, place));
  if (classes.length === 0) return PassedOverReason.DOES_NOT_FIT;
  if (needs?.refrigerated) classes = classes.filter(({ place }) => place.refrigerated);
  if (classes.length === 0) return PassedOverReason.REFRIGERATED;
  if (needs !== undefined && needs.minCentreHeightMm > 0) {
    classes = classes.filter(({ place }) => place.lowestCentreHeightMm !== 0 && place.lowestCentreHeightMm >= needs.minCentreHeightMm);
  }
  if (needs !== undefined && needs.maxCentreHeightMm > 0) {
    classes = classes.filter(({ place }) => place.highestCentreHeightMm !== 0 && place.highestCentreHeightMm <= needs.maxCentreHeightMm);
  }
  if (classes.length === 0) return PassedOverReason.COMPARTMENT_HEIGHT;
  if (needs !== undefined && !isOpen(site, needs)) return PassedOverReason.CLOSED;
  if (query.knownAtMs !== undefined && query.knownAtMs >= knownUntilMs) return PassedOverReason.UNKNOWN_AVAILABILITY;
  if (classes.every(({ index }) => free[index] === 0)) return PassedOverReason.FULL;
  const hasNames = site.compartments.length > 0 && knownUntilMs === Number.POSITIVE_INFINITY;
  if (query.isHard === true && !hasNames) return PassedOverReason.NO_NAMED_COMPARTMENT;
  return undefined;
}

/** All sites of the query's network within its radius, nearest first, by linear search. */
export function sitesAround(sites: readonly KnownSite[], { origin, isTest, radiusM }: NearestQuery): (KnownSite & { distanceM: number })[] {
  const from = quantise(origin);
  return sites
    .filter(({ site }) => site.isTest === isTest && site.position !== undefined)
    .map((known) => ({ ...known, distanceM: greatCircleM(from, quantise(known.site.position as NonNullable<Site["position"]>)) }))
    .filter(({ distanceM }) => distanceM <= radiusM)
    .sort((a, b) => a.distanceM - b.distanceM || (a.siteId < b.siteId ? -1 : 1));
}

/** Tries all six rotations. */
function fitsByHand({ widthMm, heightMm, depthMm, massG }: NearestQuery["parcel"], place: SizeClass): boolean {
  const rotations = [
    [widthMm, heightMm, depthMm],
    [widthMm, depthMm, heightMm],
    [heightMm, widthMm, depthMm],
    [heightMm, depthMm, widthMm],
    [depthMm, widthMm, heightMm],
    [depthMm, heightMm, widthMm],
  ];
  return (
    massG <= place.maxMassG &&
    rotations.some(([width = 0, height = 0, depth = 0]) => width <= place.widthMm && height <= place.heightMm && depth <= place.depthMm)
  );
}
