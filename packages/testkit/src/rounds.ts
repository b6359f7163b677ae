import { inject } from "vitest";
import { testLength } from "./test-length.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Whether the tests of a project run their short rounds at every length: they run in full in another project. Default false. */
    hasShortRounds?: boolean;
  }
}

/** How many rounds a test runs at each length of a run. */
export interface Rounds {
  /** In `npm test`: enough for everything that the test asserts to happen. */
  short: number;
  /** In `npm run test:ci`. */
  ci: number;
  /** In `npm run test:long` or `npm run test:faults`. Default: the test has no place there. */
  long?: number;
}

/**
 * The number of rounds of this run. A file that calls this runs again in `npm run test:ci`, and where it names `long` in the long runs too: they are
 * found by this call, so it must stand in the test file itself.
 */
export function roundsHere({ short, ci, long = ci }: Rounds): number {
  const length = testLength();
  if (length === "ci" || length === "long") return inject("hasShortRounds") === true ? short : { ci, long }[length];
  return short;
}
