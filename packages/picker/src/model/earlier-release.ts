import type { Problem } from "../gateway/problem.ts";

/** What a gateway of an earlier release may lack. The shopper goes on without. */
const messages = {
  OPEN_AT_IGNORED:
    "The gateway is of an earlier release, without open_at: places that are closed at the wanted hour are offered too, and say so.",
  PASSED_OVER_UNNAMED: "The gateway is of an earlier release, without passed_over_limit: what is not offered is counted and not named.",
} as const;

export type Lack = keyof typeof messages;

/** What the gateway was found to lack. */
export interface EarlierRelease {
  lacks(what: Lack): boolean;
  /** Remembers it, and tells the shop once. */
  found(what: Lack): void;
}

/** @param failed tells the shop */
export function createEarlierRelease(failed: (problem: Problem) => void): EarlierRelease {
  const lacking = new Set<Lack>();
  return {
    lacks: (what) => lacking.has(what),
    found(what) {
      if (lacking.has(what)) return;
      lacking.add(what);
      failed({ reason: what, message: messages[what], isPassing: false });
    },
  };
}

/** Whether a gateway refuses a request because of what stands in it: the reason of this one, and those of others. */
export function isRefusal({ reason }: Problem): boolean {
  return ["MALFORMED_MESSAGE", "INVALID_FIELD", "INVALID_ARGUMENT"].includes(reason);
}
