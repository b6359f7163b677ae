import {
  type NearestPlace,
  OverflowFallback,
  type OverflowPolicy,
  PetakError,
  type RedirectRequest,
  type Reservation,
  Role,
} from "@petak/protocol";

/** The fallback of an overflow policy; REFUSE by default. */
export function overflowFallbackOf({ overflowPolicy }: { overflowPolicy?: OverflowPolicy | undefined }): OverflowFallback {
  const fallback = overflowPolicy?.fallback ?? OverflowFallback.UNSPECIFIED;
  return fallback === OverflowFallback.UNSPECIFIED ? OverflowFallback.REFUSE : fallback;
}

/** The fallback as error metadata; empty without a policy. */
export function overflowFallbackMetadata(asked: { overflowPolicy?: OverflowPolicy | undefined }): { overflow_fallback?: string } {
  if (asked.overflowPolicy === undefined) return {};
  const fallback = overflowFallbackOf(asked);
  const [name] = Object.entries(OverflowFallback).find(([, value]) => value === fallback) ?? [];
  return name === undefined ? {} : { overflow_fallback: name };
}

export interface PolicyCaller {
  readonly roles: readonly Role[];
}

/**
 * Whether a caller must follow the overflow policy declared in advance. A courier must; a merchant acts for the consumer and may decide anew.
 */
export function isBoundByPolicy({ overflowPolicy }: Reservation, { roles }: PolicyCaller): boolean {
  return overflowPolicy !== undefined && !roles.includes(Role.MERCHANT);
}

/** The originally requested site, from which the policy measures distances. */
export function wantedSiteOf({ wantedSiteId, siteId }: Reservation): string {
  return wantedSiteId === "" ? siteId : wantedSiteId;
}

/**
 * Throws if the policy does not allow a site. The originally requested site is always allowed.
 *
 * @param distanceM distance from the originally requested site, in m
 * @throws {PetakError} OUTSIDE_OVERFLOW_POLICY.
 */
export function refuseOutside(
  old: Reservation,
  { siteId, operatorId, distanceM }: { siteId: string; operatorId: string; distanceM: number },
): void {
  const { maxDistanceM = 0, operatorIds = [] } = old.overflowPolicy ?? {};
  if (siteId === wantedSiteOf(old)) return;
  if (maxDistanceM === 0 || distanceM > maxDistanceM) throw outside(old, "max_distance_m", siteId);
  if (operatorIds.length > 0 && !operatorIds.includes(operatorId)) throw outside(old, "operator_ids", siteId);
}

/**
 * Restricts a search for the nearest site to what the policy allows, measured from the originally requested site.
 *
 * @param origin position of the originally requested site
 * @throws {PetakError} OUTSIDE_OVERFLOW_POLICY if the policy allows no site of the search.
 */
export function nearestWithin(old: Reservation, nearest: NearestPlace, origin: NearestPlace["origin"]): RedirectRequest["place"] {
  const { maxDistanceM = 0, operatorIds = [] } = old.overflowPolicy ?? {};
  if (maxDistanceM === 0) throw outside(old, "max_distance_m");
  const allowed = allowedOperators(operatorIds, nearest.operatorIds);
  if (allowed === undefined) throw outside(old, "operator_ids");
  const radiusM = nearest.radiusM === 0 ? maxDistanceM : Math.min(nearest.radiusM, maxDistanceM);
  return { case: "nearest", value: { ...nearest, origin, radiusM, operatorIds: allowed } };
}

/** The operators that both lists allow; an empty list allows all. Undefined: none. */
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
      ? "only sites of the operators that it names"
      : maxDistanceM === 0
        ? "no other site"
        : `only sites within ${maxDistanceM} m of the requested site`;
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
