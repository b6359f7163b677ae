import { create } from "@bufbuild/protobuf";
import { greatCircleM, quantise } from "@petak/allocator";
import { nearestWithin, refuseOutside, wantedSiteOf } from "@petak/lifecycle";
import { NearestPlaceSchema, type RedirectRequest, type Reservation, type Site } from "@petak/protocol";
import { siteNotFound } from "@petak/records";

/** The place of a redirection. */
export type RedirectPlace = RedirectRequest["place"];

/** Reads sites, in the order of the ids. */
export type ReadSites = (siteIds: readonly string[]) => Promise<(Site | undefined)[]>;

/**
 * Restricts the place of a redirection to the overflow policy: the named site, if the policy allows it, or else the nearest allowed site, measured from
 * the site that the reservation asked for.
 *
 * @throws {PetakError} OUTSIDE_OVERFLOW_POLICY; SITE_NOT_FOUND.
 */
export async function boundPlace(old: Reservation, place: RedirectPlace, readSites: ReadSites): Promise<RedirectPlace> {
  if (old.overflowPolicy === undefined) return place;
  const wantedId = wantedSiteOf(old);
  const [wanted, named] = await readSites(place.case === "siteId" ? [wantedId, place.value] : [wantedId]);
  const origin = wanted?.position;
  if (origin === undefined) throw siteNotFound(wantedId);
  if (place.case !== "siteId") return nearestWithin(old, place.value ?? create(NearestPlaceSchema), origin);
  if (named?.position === undefined || named.isTest !== old.isTest) throw siteNotFound(place.value);
  const distanceM = greatCircleM(quantise(origin), quantise(named.position));
  refuseOutside(old, { siteId: place.value, operatorId: named.operatorId, distanceM });
  return place;
}
