import { overflowFallbackMetadata } from "@petak/lifecycle";
import { PetakError } from "@petak/protocol";
import type { WantedPlace } from "./wanted-place.ts";

/** Places come free when parcels are collected: asking again within the minute is seldom of use. In ms. */
const noPlaceRetryMs = 60_000;

/** How long to wait after a rush, in ms: the same request is worth another try at once. */
const rushRetryMs = 100;

/** The error for a request for which no place is free, neither where it wants one nor where its overflow policy leads. */
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

/** The error for a request that lost every place that it found to other calls. */
export function lostInRush(): PetakError {
  return new PetakError("CONFLICT", "other calls took every place that this one found; send the same request again", {
    retryAfterMs: rushRetryMs,
  });
}
