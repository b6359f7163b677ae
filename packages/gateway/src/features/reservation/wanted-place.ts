import { create } from "@bufbuild/protobuf";
import { type NearestPlace, NearestPlaceSchema, type ReserveRequest } from "@petak/protocol";
import type { Overflow, WantedPlace } from "@petak/records";
import { namedSiteQuery, reserveNearestQuery } from "../sites/nearest-query.ts";

/** The place that a request asks for, with the searches that its overflow policy allows. */
export function wantedPlaceOf(request: ReserveRequest, isTest: boolean, nowMs: number): WantedPlace {
  const { place, overflowPolicy: policy } = request;
  const search = (at: NearestPlace) => reserveNearestQuery(request, at, isTest, nowMs, 1);
  const wanted: WantedPlace =
    place.case === "nearest"
      ? { query: search(place.value) }
      : { siteId: place.value ?? "", query: namedSiteQuery(request, isTest, nowMs) };
  if (policy !== undefined) {
    const within = { radiusM: policy.maxDistanceM, operatorIds: policy.operatorIds };
    wanted.overflow = {
      policy,
      search: (origin) =>
        search(place.case === "nearest" ? { ...place.value, ...within } : create(NearestPlaceSchema, { origin, ...within })),
    } satisfies Overflow;
  }
  return wanted;
}
