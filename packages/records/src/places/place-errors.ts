import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { SiteCheck } from "@petak/allocator";
import { overflowFallbackMetadata } from "@petak/lifecycle";
import { ParcelRequirement, PassedOverReason, PetakError, type Reservation, type Site } from "@petak/protocol";
import type { HoldExhaustion } from "../encoding/hold-limits.ts";
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
      metadata: { site_id: siteId, ...fallback, subject: siteId },
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

/** Bounds of the suggested delay before a retry when the participant may hold no more, in ms. */
const holdsRetryMs = { least: 1000, most: 3_600_000 };

/** The error for a request for which a place is free, but its participant may hold no more there. */
export function holdsExhausted(
  { siteId, overflow }: Pick<WantedPlace, "siteId" | "overflow">,
  { scope, limit, used, firstExpiryMs }: HoldExhaustion,
  { updatedAt }: Pick<Reservation, "updatedAt">,
): PetakError {
  const atSite = siteId === undefined ? "at each of the nearest sites with a free place" : `at site ${siteId}`;
  const where = { site: atSite, size_class: `of a fitting size class ${atSite}`, region: "in this region", all: "in all regions" }[scope];
  const ofWhich = siteId === undefined && scope !== "region" && scope !== "all" ? " at the last of them" : "";
  const untilExpiryMs = updatedAt === undefined ? 0 : firstExpiryMs - timestampMs(updatedAt);
  return new PetakError(
    "HOLDS_EXHAUSTED",
    `this participant has used its share of unconfirmed holds ${where}: ${used} of ${limit}${ofWhich}; confirm or cancel some, or ask the operator of the gateway for more`,
    {
      metadata: {
        scope,
        limit: String(limit),
        used: String(used),
        ...(siteId !== undefined && scope !== "all" && { site_id: siteId }),
        ...overflowFallbackMetadata({ overflowPolicy: overflow?.policy }),
      },
      retryAfterMs: Math.min(Math.max(untilExpiryMs, holdsRetryMs.least), holdsRetryMs.most),
    },
  );
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

/** The error for a site that takes no new reservations for a while, by its device's word. */
export function intakePaused({ siteId, intake }: Site): PetakError {
  const until = intake?.pausedUntil === undefined ? undefined : new Date(timestampMs(intake.pausedUntil)).toISOString();
  const howLong = until === undefined ? "for now" : `until ${until}`;
  return new PetakError("SITE_INTAKE_PAUSED", `site ${siteId} takes no new reservations ${howLong}; name another site or try again later`, {
    metadata: { site_id: siteId, subject: siteId, ...(until !== undefined && { paused_until: until }) },
    retryAfterMs: noPlaceRetryMs,
  });
}

/** The name of an enum's value, without its prefix. */
function nameOf(names: Readonly<Record<string, number>>, value: number | undefined): string {
  return Object.entries(names).find(([, number]) => number === value)?.[0] ?? String(value);
}
