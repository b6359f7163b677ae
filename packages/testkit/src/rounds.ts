import { inject } from "vitest";
import { testLength } from "./test-length.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Whether a project always runs the short rounds, because another project runs all. Default false. */
    hasShortRounds?: boolean;
  }
}

/** Number of rounds of a test, by test length. */
export interface Rounds {
  /** In `npm test`: enough for everything that the test asserts. */
  short: number;
  /** In `npm run test:ci`. */
  ci: number;
  /** In `npm run test:long` or `npm run test:faults`. Default: the test does not run there. */
  long?: number;
}

/**
 * The number of rounds of this run. Test files that call this also run in `npm run test:ci`, and with `long` in the long runs. They are found by searching for this
 * call, so it must be in the test file itself.
 */
export function roundsHere({ short, ci, long = ci }: Rounds): number {
  const length = testLength();
  if (length === "ci" || length === "long") return inject("hasShortRounds") === true ? short : { ci, long }[length];
  return short;
}
