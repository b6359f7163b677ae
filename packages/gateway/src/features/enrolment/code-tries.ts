import { PetakError } from "@petak/protocol";
import { Paces } from "../../identity/paces.ts";
import { rateOf } from "../../transport/limits/rate.ts";

/** How often an address may send enrolment codes that are wrong. */
export interface CodeTries {
  /** Throws RATE_LIMITED if an address has sent too many, before anything is looked up. */
  refuseTooMany(source: string): void;
  /** Counts a wrong one. */
  countWrong(source: string): void;
}

/** Addresses that are remembered: 1 MB. */
const sendersMax = 10_000;

/** Makes the count of this gateway. @param atOnce wrong codes of an address at once; one more each second */
export function createCodeTries(now: () => number, atOnce: number): CodeTries {
  const paces = new Paces({ now, max: sendersMax });
  const rate = rateOf({ everyMs: 1000, atOnce });
  return {
    refuseTooMany(source) {
      if (paces.waitMs(source, rate) === 0) return;
      throw new PetakError(
        "RATE_LIMITED",
        `${source} has sent ${atOnce} wrong enrolment codes, its limit. Check the code, and try again in 1000 ms.`,
        {
          retryAfterMs: 1000,
          metadata: { kind: "credentials", limit: String(atOnce) },
        },
      );
    },
    countWrong: (source) => paces.count(source, rate),
  };
}
