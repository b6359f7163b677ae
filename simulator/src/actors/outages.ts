import { drawExponential } from "../random/distributions.ts";
import { createRandom } from "../random/random.ts";

const dayMs = 86_400_000;

/** When something is out of order, drawn from a seed: a Poisson process, each outage of one length. */
export interface Outages {
  /** Whether it is out at a time. Times never go back. */
  isOut(atMs: number): boolean;
  /** How many outages have begun by the last time that was asked for. */
  readonly begun: number;
}

/**
 * @param perDay how often an outage begins, on average; 0: never
 * @param seeds parts of the seed
 */
export function drawOutages(perDay: number, lengthMs: number, startMs: number, ...seeds: (string | number)[]): Outages {
  const random = createRandom("outages", ...seeds);
  const pauseMs = () => (perDay > 0 ? (drawExponential(random) * dayMs) / perDay : Number.POSITIVE_INFINITY);
  let begun = 0;
  let nextMs = startMs + pauseMs();
  let endMs = Number.NEGATIVE_INFINITY;
  return {
    isOut(atMs) {
      while (atMs >= nextMs) {
        begun += 1;
        endMs = nextMs + lengthMs;
        nextMs = endMs + pauseMs();
      }
      return atMs < endMs;
    },
    get begun() {
      return begun;
    },
  };
}
