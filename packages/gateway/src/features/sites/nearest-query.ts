import type { NearestQuery, SiteQuery } from "@petak/allocator";
import {
  type CheckFitRequest,
  type FindNearestRequest,
  HoldKind,
  type LatLng,
  type NearestPlace,
  type Parcel,
  type Purpose,
  type ReserveRequest,
  type SiteRequirements,
} from "@petak/protocol";
import { siteNeedsOf } from "@petak/records";
import { countryOf } from "./country-of.ts";

/** Number of options if the request does not specify it. */
const defaultLimit = 5;

/** The query of FindNearest. */
export function findNearestQuery(request: FindNearestRequest, isTest: boolean, nowMs: number): NearestQuery {
  return nearestQuery(request, request, isTest, nowMs, request.limit === 0 ? defaultLimit : request.limit);
}

/** The query of Reserve near a point. */
export function reserveNearestQuery(
  request: ReserveRequest,
  place: NearestPlace,
  isTest: boolean,
  nowMs: number,
  limit: number,
): NearestQuery {
  const query = nearestQuery(request, place, isTest, nowMs, limit);
  query.isHard = request.holdKind === HoldKind.HARD;
  return query;
}

/** The conditions of Reserve on a named site. The country is one only if the request names it. */
export function namedSiteQuery(request: ReserveRequest, isTest: boolean, nowMs: number): SiteQuery {
  return siteQuery(request, isTest, nowMs, request.holdKind === HoldKind.HARD);
}

/** The conditions of CheckFit: those of Reserve on a named site with a soft hold. */
export function checkFitQuery(request: CheckFitRequest, isTest: boolean, nowMs: number): SiteQuery {
  return siteQuery(request, isTest, nowMs, false);
}

function siteQuery(asked: Asked, isTest: boolean, nowMs: number, isHard: boolean): SiteQuery {
  const { parcel, purpose, requirements } = asked;
  if (parcel === undefined) throw emptyField();
  const query: SiteQuery = {
    parcel,
    purpose,
    isTest,
    parcelRequirements: parcel.requirements,
    kinds: [],
    operatorIds: [],
    excludedOperatorIds: [],
    countryCodes: requirements?.countryCodes ?? [],
    isHard,
  };
  addConditions(query, asked, nowMs);
  return query;
}

/** Fields that FindNearest, CheckFit and Reserve have in common. */
interface Asked {
  parcel?: Parcel | undefined;
  purpose: Purpose;
  requirements?: SiteRequirements | undefined;
  includeUnknown: boolean;
}

function nearestQuery(asked: Asked, place: FindNearestRequest | NearestPlace, isTest: boolean, nowMs: number, limit: number): NearestQuery {
  const { origin, radiusM, kinds, operatorIds, excludedOperatorIds } = place;
  const { parcel, purpose, requirements } = asked;
  if (origin === undefined || parcel === undefined) throw emptyField();
  // Field by field: spreading objects would take longer than the rest of a simple query.
  const query: NearestQuery = {
    parcel,
    purpose,
    isTest,
    parcelRequirements: parcel.requirements,
    origin,
    limit,
    radiusM: radiusM === 0 ? Number.POSITIVE_INFINITY : radiusM,
    kinds,
    operatorIds,
    excludedOperatorIds,
    countryCodes: countriesNear(origin, requirements),
  };
  addConditions(query, asked, nowMs);
  return query;
}

function addConditions(query: SiteQuery, { requirements, includeUnknown }: Asked, nowMs: number): void {
  if (requirements !== undefined) query.needs = siteNeedsOf(requirements);
  if (!includeUnknown) query.knownAtMs = nowMs;
}

/** Countries of the sites to offer. A site beyond a border or strait is offered only if its country is requested. */
function countriesNear(origin: LatLng, requirements: SiteRequirements | undefined): readonly string[] {
  if (requirements?.anyCountry === true) return [];
  if (requirements !== undefined && requirements.countryCodes.length > 0) return requirements.countryCodes;
  const country = countryOf(origin);
  return country === undefined ? [] : [country];
}

function emptyField(): TypeError {
  return new TypeError("validation accepted an empty field");
}
