import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { DoubtOutcome, type Party, type Reservation, ReservationState } from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { transitionTo, type WritingTransition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

/** The states that follow from what the operator found. */
const doubtOutcomes: ReadonlyMap<DoubtOutcome, ReservationState> = new Map([
  [DoubtOutcome.COLLECTED, ReservationState.COLLECTED],
  [DoubtOutcome.RECALLED, ReservationState.RECALLED],
  [DoubtOutcome.NO_PARCEL, ReservationState.NO_SHOW],
]);

/**
 * Ends a reservation in doubt according to what its operator found.
 *
 * @throws {PetakError} ILLEGAL_STATE if it is not in doubt.
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
    // Nobody knows when the parcel left. The safe assumption: the site's last capacity report already counted it as gone.
    movedAtMs: 0,
    ...closeAccess(before, atMs),
  };
}
