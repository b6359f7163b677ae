import { CallFailed } from "./calls.ts";
import type { City } from "./city.ts";
import type { Life } from "./life.ts";

/** Reasons for which there is no place for a parcel. */
const noPlace: ReadonlySet<string> = new Set([
  "NO_PLACE_FREE",
  "HOLDS_EXHAUSTED",
  "QUEUE_FULL",
  "QUEUE_SHARE_EXHAUSTED",
  "PARCEL_DOES_NOT_FIT",
  "PARCEL_REQUIREMENT_UNMET",
  "SITE_REQUIREMENT_UNMET",
  "SITE_NOT_ACCEPTING",
  "SITE_INTAKE_PAUSED",
  "SITE_NOT_FOUND",
  "SITE_OUT_OF_SERVICE",
  "AVAILABILITY_UNKNOWN",
]);

/** Ends an intention whose call failed. Throws what is no failed call. */
export function endOfCall(city: City, life: Life, error: unknown): void {
  if (!(error instanceof CallFailed)) throw error;
  const { outcome, isRefusal } = error;
  const hasNoAnswer = !isRefusal && !error.isLockedOut;
  city.lives.end(life, noPlace.has(outcome) ? "refused" : hasNoAnswer ? "gave-up" : "failed", { reason: outcome });
}
