import type { SiteCheck } from "@petak/allocator";
import { overflowFallbackMetadata } from "@petak/lifecycle";
import { ParcelRequirement, PassedOverReason, PetakError } from "@petak/protocol";
import type { WantedPlace } from "./wanted-place.ts";

/** When to retry if no place is free, in ms. Places become free when parcels are collected, seldom within a minute. */
const noPlaceRetryMs = 60_000;

/** When to retry after a rush, in ms: almost immediately. */
const rushRetryMs = 100;

/** The error for a request for which no place is free, neither where it wants one nor within its overflow policy. */
export function noPlaceFree({ siteId, query, overflow }: WantedPlace): PetakError {
  const fallback = overflowFallbackMetadata({ overflowPolicy: overflow?.policy });
  if (siteId !== undefined) {
    return new PetakError("NO_PLACE_FREE", `no suitable place is free at site ${siteId}; name another site or try again later`, {
      metadata: { site_id: siteId, ...fallback },
      retryAfterMs: noPlaceRetryMs,
    });
  }
  const radiusM = Number.isFinite(query.radiusM) ? query.radiusM : 0;
  const where = radiusM === 0 ? "anywhere" : `within ${radiusM} m`;
  return new PetakError("NO_PLACE_FREE", `no suitable place is free ${where} with these filters; widen the search or try again later`, {
    metadata: { radius_m: String(radiusM), ...fallback },
    retryAfterMs: noPlaceRetryMs,
  });
}

/** The error for a request that found places, all of which other calls took first. */
export function lostInRush(): PetakError {
  return new PetakError("CONFLICT", "other calls took every place that this one found; send the same request again", {
    retryAfterMs: rushRetryMs,
  });
}

/** The error for a named site that does not satisfy the request. */
export function siteUnmet(siteId: string, reason: PassedOverReason, { missing }: SiteCheck): PetakError {
  const metadata = { site_id: siteId, subject: siteId };
  switch (reason) {
    case PassedOverReason.PURPOSE:
      return siteNotAccepting(siteId);
    case PassedOverReason.DOES_NOT_FIT:
      return new PetakError("PARCEL_DOES_NOT_FIT", `the parcel fits no size class of site ${siteId}`, { metadata });
    case PassedOverReason.PARCEL_REQUIREMENT: {
      const requirement = nameOf(ParcelRequirement, missing);
      return new PetakError("PARCEL_REQUIREMENT_UNMET", `site ${siteId} does not meet the parcel's requirement ${requirement}`, {
        metadata: { ...metadata, requirement },
      });
    }
    case PassedOverReason.UNKNOWN_AVAILABILITY:
      return new PetakError(
        "AVAILABILITY_UNKNOWN",
        `the last availability report of site ${siteId} has expired; set include_unknown to use it, or name another site`,
        { metadata },
      );
    default: {
      const requirement = nameOf(PassedOverReason, reason);
      return new PetakError("SITE_REQUIREMENT_UNMET", `site ${siteId} does not meet the request's requirements: ${requirement}`, {
        metadata: { ...metadata, requirement },
      });
    }
  }
}

/** The error for a site that takes no reservations now, or none for the purpose. */
export function siteNotAccepting(siteId: string): PetakError {
  return new PetakError("SITE_NOT_ACCEPTING", `site ${siteId} takes no reservations for this purpose now; name another site`, {
    metadata: { site_id: siteId, subject: siteId },
  });
}

/** The name of an enum's value, without its prefix. */
function nameOf(names: Readonly<Record<string, number>>, value: number | undefined): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}
