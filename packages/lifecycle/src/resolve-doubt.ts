import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DoubtOutcome, type Party, type Reservation, ReservationState } from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { transitionTo, type WritingTransition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

/** The state of a reservation in doubt after its operator has looked. */
const doubtOutcomes: ReadonlyMap<DoubtOutcome, ReservationState> = new Map([
  [DoubtOutcome.COLLECTED, ReservationState.COLLECTED],
  [DoubtOutcome.RECALLED, ReservationState.RECALLED],
  [DoubtOutcome.NO_PARCEL, ReservationState.NO_SHOW],
]);

/**
 * Ends a reservation in doubt by what its operator found.
 *
 * @throws {PetakError} ILLEGAL_STATE where it is not in doubt.
 */
export function resolveDoubt(
  before: Reservation,
  { actor, outcome }: { actor: Party; outcome: DoubtOutcome },
  atMs: number,
): WritingTransition {
  const state = doubtOutcomes.get(outcome) ?? ReservationState.UNSPECIFIED;
  if (before.state !== ReservationState.IN_DOUBT) throw illegalState(before, state);
  const wentAt = timestampFromMs(atMs);
  const change = {
    state,
    ...(state === ReservationState.COLLECTED ? { collectedAt: wentAt } : {}),
    ...(state === ReservationState.RECALLED ? { recalledAt: wentAt } : {}),
  };
  return {
    ...transitionTo(before, change, { actor }, atMs),
    // Nobody knows when the parcel went. The safe assumption is that the site's last report has counted it as gone already.
    movedAtMs: 0,
    ...closeAccess(before, atMs),
  };
}
