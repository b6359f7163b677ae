import { CustodyService, LimitKind, ReservationService } from "@petak/protocol";
import type { CallerShares } from "../../identity/caller-shares.ts";
import type { Accounts } from "../../transport/index.ts";
import { type LimitSource, usedLimit } from "../participant/limit-source.ts";
import { pathOf } from "./call-limits.ts";

/** What callers have a share of, over all gateways of a store. */
export interface SharedParts {
  /** Unary calls in progress. */
  readonly calls: Accounts & Pick<CallerShares, "perCaller">;
  /** Calls of ListEvents that wait. */
  readonly polls: CallerShares;
  /** Streams of WatchEvents. */
  readonly streams: CallerShares;
  /** Calls of Batch in progress. */
  readonly batches: CallerShares;
}

/** Limits on what a participant does at one moment, in both networks together. */
export function shareLimits({ calls, polls, streams, batches }: SharedParts): LimitSource {
  return ({ participantId }) => [
    usedLimit(LimitKind.CALLS_IN_PROGRESS, calls.perCaller, calls.usedBy(participantId)),
    usedLimit(LimitKind.WAITING_CALLS, polls.perCaller, polls.usedBy(participantId), { method: pathOf(CustodyService.method.listEvents) }),
    usedLimit(LimitKind.OPEN_STREAMS, streams.perCaller, streams.usedBy(participantId), {
      method: pathOf(CustodyService.method.watchEvents),
    }),
    usedLimit(LimitKind.BATCHES_IN_PROGRESS, batches.perCaller, batches.usedBy(participantId), {
      method: pathOf(ReservationService.method.batch),
    }),
  ];
}
