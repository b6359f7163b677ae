import type { ConstantArrivalRateScenario } from "k6/options";
import type { Settings } from "./settings.ts";

/** Iterations that begin at a constant rate, whatever the answers: an open model. Up to four seconds' worth may be in progress, then some are dropped and counted. */
export function openArrivals({ rate, duration }: Pick<Settings, "rate" | "duration">): ConstantArrivalRateScenario {
  return {
    executor: "constant-arrival-rate",
    rate,
    timeUnit: "1s",
    duration,
    preAllocatedVUs: Math.max(10, Math.ceil(rate / 4)),
    maxVUs: Math.max(40, rate * 4),
  };
}
