import { create } from "@bufbuild/protobuf";
import { greatCircleM, quantise } from "@petak/allocator";
import { nearestWithin, refuseOutside, wantedSiteOf } from "@petak/lifecycle";
import { NearestPlaceSchema, type RedirectRequest, type Reservation, type Site } from "@petak/protocol";
import { siteNotFound } from "@petak/records";

/** Where a reservation may be redirected to: as it is asked for, or within what was declared in advance. */
export type RedirectPlace = RedirectRequest["place"];

/** Reads the facts of sites, in the same order. */
export type ReadSites = (siteIds: readonly string[]) => Promise<(Site | undefined)[]>;

/**
 * The place to which a caller may redirect that is bound by the overflow policy: the site that it names, where the policy allows it; or the nearest of
 * what the policy allows, measured from the site that was wanted.
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
