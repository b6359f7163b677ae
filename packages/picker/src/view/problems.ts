import type { Problem } from "../gateway/problem.ts";
import type { PlainKey } from "../words/english.ts";

/** The sentence for the shopper. What is wrong with the shop's page they cannot help. */
export function problemWords({ reason, isPassing, retryAfterMs }: Problem): PlainKey {
  if (!isPassing) return "cannotBeShown";
  if (retryAfterMs !== undefined) return "busy";
  return reason === "GATEWAY_SLOW" ? "slow" : "notReached";
}
