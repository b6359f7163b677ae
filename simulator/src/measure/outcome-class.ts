import type { Reason } from "@petak/protocol";
import type { Operation } from "../observe/observation.ts";

/**
 * How a call came out. `ok`: as asked. `refused`: the network answered no by its rules, e.g. no place is free. `failed`: there was no such answer: the
 * transport, a time-out, overload, a limit of the caller, credentials or requests that are wrong, a door's lock, a defect.
 */
export const outcomeClasses = ["ok", "refused", "failed"] as const;
export type OutcomeClass = (typeof outcomeClasses)[number];

/** Answers about sites, places and reservations as they are: nothing is broken, and the person hears no. */
const refusals: ReadonlySet<string> = new Set<Reason>([
  "NO_PLACE_FREE",
  "QUEUE_FULL",
  "QUEUE_SHARE_EXHAUSTED",
  "PARCEL_DOES_NOT_FIT",
  "SITE_NOT_FOUND",
  "SITE_NOT_ACCEPTING",
  "SITE_INTAKE_PAUSED",
  "SITE_OUT_OF_SERVICE",
  "SITE_REQUIREMENT_UNMET",
  "PARCEL_REQUIREMENT_UNMET",
  "AVAILABILITY_UNKNOWN",
  "OUTSIDE_OVERFLOW_POLICY",
  "ILLEGAL_STATE",
  "EXTENSION_EXHAUSTED",
  "CREDENTIAL_NOT_ACCEPTED",
  "CREDENTIALS_EXHAUSTED",
  "BUNDLE_MISMATCH",
  "CONFLICT",
]);

/** The class of an outcome. A door refuses with reasons of its own; of these only the lock's failure is one. */
export function outcomeClass(operation: Operation, outcome: string): OutcomeClass {
  if (outcome === "OK") return "ok";
  if (operation === "door") return outcome === "OUT_OF_ORDER" ? "failed" : "refused";
  return refusals.has(outcome) ? "refused" : "failed";
}
