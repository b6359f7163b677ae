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
 * What the clock does once it has passed the limit in force: a wait is rejected, a hold expires, a depositor has not shown up. A parcel that waits to be
 * collected stays where it is, and is overdue: due for recall.
 *
 * @throws {TypeError} where nothing is due; ask {@link isDue} first.
 */
export function passDeadline(before: Reservation, { terms }: { terms: FullTerms }, atMs: number): Transition {
  const deadline = deadlines.get(before.state);
  if (deadline === undefined || !isDue(before, atMs)) throw new TypeError("nothing of the reservation is due");
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
