import { createRandom } from "../random/random.ts";
import type { Intention } from "../trace/intention.ts";
import type { City } from "./city.ts";

/**
 * When somebody means to come to the door, who looks only for sites that are open then: to collect a delivery, or to bring anything else. In ms since 1970, by the
 * hours of the trace, which are those of opening times. Undefined: never, or the person does not ask for that.
 *
 * @param planMs when they look
 */
export function wantedHour(
  { parameters, faults, startAtMs }: Pick<City, "parameters" | "faults" | "startAtMs">,
  intention: Intention,
  planMs: number,
): number | undefined {
  const { id, purpose, depositAfterMs, stayMs } = intention;
  const afterMs = purpose === "DELIVERY" ? stayMs : 0;
  if (depositAfterMs === null || afterMs === null) return undefined;
  if (createRandom("wanted hour", faults.seed, id).next() >= parameters.asksOpenShare) return undefined;
  // A protocol's time has whole ns, and a moment by the wall clock has any fraction of a ms.
  return Math.round(startAtMs + planMs + depositAfterMs + afterMs);
}
