import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { EventType, type Reservation, ReservationState } from "@petak/protocol";
import { deadlines, isDue } from "./deadlines.ts";
import { closeAccess } from "./end.ts";
import { noShowFee } from "./fees.ts";
import { overflowFallbackOf } from "./overflow.ts";
import { gatewayParty } from "./parties.ts";
import type { FullTerms } from "./terms.ts";
import { amend, type Transition, transitionTo } from "./transition.ts";

const S = ReservationState;

/**
 * Applies the deadline in force once it has passed: a wait is rejected, a hold expires, a missing deposit is a no-show. A deposited parcel stays inside and becomes
 * overdue.
 *
 * @throws {TypeError} if the reservation is not due; check {@link isDue} first.
 */
export function passDeadline(before: Reservation, { terms }: { terms: FullTerms }, atMs: number): Transition {
  const deadline = deadlines.get(before.state);
  if (deadline === undefined || !isDue(before, atMs)) throw new TypeError("the reservation is not due");
  const state = deadline.next;
  if (state === undefined) {
    const change = { overdueSince: timestampFromMs(atMs) };
    return { ...amend(before, change, { type: EventType.PARCEL_OVERDUE, actor: gatewayParty }, atMs), deadlineMs: null };
  }
  const change = {
    state,
    ...(state === S.NO_SHOW ? noShowFee(terms) : {}),
    ...(state === S.REJECTED ? { overflowFallback: overflowFallbackOf(before) } : {}),
  };
  return { ...transitionTo(before, change, { actor: gatewayParty }, atMs), ...closeAccess(before, atMs) };
}
