import { create } from "@bufbuild/protobuf";
import { greatCircleM, quantise } from "@petak/allocator";
import {
  type NearestPlace,
  NearestPlaceSchema,
  PetakError,
  type RedirectRequest,
  type Reservation,
  Role,
  type Site,
} from "@petak/protocol";
import type { ParticipantCaller } from "../identity/index.ts";
import { siteNotFound } from "./directory.ts";

/** Where a reservation may be redirected to: as it is asked for, or within what was declared in advance. */
export type RedirectPlace = RedirectRequest["place"];

/** Reads the facts of sites, in the same order. */
export type ReadSites = (siteIds: readonly string[]) => Promise<(Site | undefined)[]>;

/**
 * Whether a caller is bound by what was declared in advance: the courier at the door is, whoever else's parcel it carries. A merchant is the
 * consumer's side, and may decide anew.
 */
export function isBoundByPolicy({ overflowPolicy }: Reservation, { roles }: ParticipantCaller): boolean {
  return overflowPolicy !== undefined && !roles.includes(Role.MERCHANT);
}

/**
 * The place that a bound caller may redirect to: the site that it names, where the policy allows it; or the nearest of what the policy allows, which is
 * measured from the site that was wanted.
 *
 * @throws {PetakError} OUTSIDE_OVERFLOW_POLICY; SITE_NOT_FOUND.
 */
export async function boundPlace(old: Reservation, place: RedirectPlace, readSites: ReadSites): Promise<RedirectPlace> {
  const { overflowPolicy } = old;
  if (overflowPolicy === undefined) return place;
  const { maxDistanceM, operatorIds } = overflowPolicy;
  const wantedId = old.wantedSiteId === "" ? old.siteId : old.wantedSiteId;
  const [wanted, named] = await readSites(place.case === "siteId" ? [wantedId, place.value] : [wantedId]);
  const origin = wanted?.position;
  if (origin === undefined) throw siteNotFound(wantedId);
  if (place.case === "siteId") {
    // Back to where it was wanted it may go.
    if (place.value === wantedId) return place;
    if (named?.position === undefined || named.isTest !== old.isTest) throw siteNotFound(place.value);
    const distanceM = greatCircleM(quantise(origin), quantise(named.position));
    if (maxDistanceM === 0 || distanceM > maxDistanceM) throw outside(old, "max_distance_m", place.value);
    if (operatorIds.length > 0 && !operatorIds.includes(named.operatorId)) throw outside(old, "operator_ids", place.value);
    return place;
  }
  if (maxDistanceM === 0) throw outside(old, "max_distance_m");
  const nearest = place.value ?? create(NearestPlaceSchema);
  const allowed = allowedOperators(operatorIds, nearest.operatorIds);
  if (allowed === undefined) throw outside(old, "operator_ids");
  const radiusM = nearest.radiusM === 0 ? maxDistanceM : Math.min(nearest.radiusM, maxDistanceM);
  const value: NearestPlace = { ...nearest, origin, radiusM, operatorIds: allowed };
  return { case: "nearest", value };
}

/** The operators that both lists allow, an empty list allowing all; undefined where that is none. */
function allowedOperators(declared: readonly string[], asked: readonly string[]): string[] | undefined {
  if (declared.length === 0) return [...asked];
  if (asked.length === 0) return [...declared];
  const both = asked.filter((operatorId) => declared.includes(operatorId));
  return both.length === 0 ? undefined : both;
}

function outside(old: Reservation, limit: "max_distance_m" | "operator_ids", siteId?: string): PetakError {
  const { reservationId, overflowPolicy } = old;
  const maxDistanceM = overflowPolicy?.maxDistanceM ?? 0;
  const what =
    limit === "operator_ids"
      ? "sites of the operators that it names"
      : maxDistanceM === 0
        ? "no other site"
        : `sites within ${maxDistanceM} m`;
  return new PetakError("OUTSIDE_OVERFLOW_POLICY", `the overflow policy of reservation ${reservationId} allows ${what}`, {
    metadata: {
      reservation_id: reservationId,
      subject: reservationId,
      limit,
      max_distance_m: String(maxDistanceM),
      ...(siteId === undefined ? {} : { site_id: siteId }),
    },
  });
}
