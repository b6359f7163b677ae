import { pollsPerCaller } from "../features/custody/list-events.ts";
import { streamsPerCaller } from "../features/custody/watch-events.ts";
import type { SharedParts } from "../features/limits/share-limits.ts";
import { concurrentBatches } from "../features/reservation/batch.ts";
import { createCallerShares } from "../identity/caller-shares.ts";
import { type CallLimits, createAccounts, defaultCallLimits } from "../transport/index.ts";
import type { ToldUse } from "./callers-use.ts";

/** Creates what callers have a share of, over all gateways of a store. */
export function createCallersShares(given: Partial<CallLimits> = {}): SharedParts {
  const { maxConcurrentCalls, maxConcurrentStreams, callerCallsMax } = { ...defaultCallLimits, ...given };
  return {
    calls: Object.assign(createAccounts(), { perCaller: callerCallsMax }),
    // Each waiting call counts as a unary call too, so this must be well below the limit of those.
    polls: createCallerShares({ perCaller: pollsPerCaller, total: Math.ceil(maxConcurrentCalls / 2) }),
    streams: createCallerShares({ perCaller: streamsPerCaller, total: maxConcurrentStreams }),
    batches: createCallerShares(concurrentBatches),
  };
}

/** What gateways tell one another of it: of calls, 8 of the usual 256, and of the others every one. */
export function toldUses({ calls, ...others }: SharedParts): Record<string, ToldUse> {
  const told = Object.entries(others).map(([name, use]) => [name, { use, toldFrom: 1 }] as const);
  return { calls: { use: calls, toldFrom: Math.max(1, Math.ceil(calls.perCaller / 32)) }, ...Object.fromEntries(told) };
}
