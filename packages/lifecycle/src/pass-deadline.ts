import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventType, type Reservation, ReservationState, type Site } from "@petak/protocol";
import { deadlines, isDue } from "./deadlines.ts";
import { closeAccess } from "./end.ts";
import { noShowFee } from "./fees.ts";
import { overflowFallbackOf } from "./overflow.ts";
import { gatewayParty } from "./parties.ts";
import type { FullTerms } from "./terms.ts";
import { amend, type Transition, transitionTo } from "./transition.ts";

const S = ReservationState;

/** What a passed deadline depends on. */
export interface DeadlineFacts {
  /** The terms of the reservation. */
  terms: FullTerms;
  /** Its site as it is now. */
  site: Pick<Site, "lifecycle" | "draining">;
}

/**
 * Applies the deadline in force once it has passed: a wait is rejected, a hold expires, a missing deposit is a no-show. A deposited parcel stays inside and becomes
 * overdue.
 *
 * @throws {TypeError} if the reservation is not due; check {@link isDue} first.
 */
export function passDeadline(before: Reservation, { terms, site }: DeadlineFacts, atMs: number): Transition {
  const deadline = deadlines.get(before.state);
  if (deadline === undefined || !isDue(before, atMs)) throw new TypeError("the reservation is not due");
  const state = deadline.next;
  if (state === undefined) {
    const change = { overdueSince: timestampFromMs(atMs) };
    return { ...amend(before, change, { type: EventType.PARCEL_OVERDUE, actor: gatewayParty }, atMs), deadlineMs: null, isAllowed: true };
  }
  const change = {
    state,
    ...(state === S.NO_SHOW ? noShowFee(before, terms, site) : {}),
    ...(state === S.REJECTED ? { overflowFallback: overflowFallbackOf(before) } : {}),
  };
  return { ...transitionTo(before, change, { actor: gatewayParty }, atMs), ...closeAccess(before, atMs) };
}
