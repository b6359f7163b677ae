import { DoubtOutcome, ReservationState } from "@petak/protocol";

/** Where a reservation in doubt goes by what its operator found. */
export const doubtOutcomes: ReadonlyMap<DoubtOutcome, ReservationState> = new Map([
  [DoubtOutcome.COLLECTED, ReservationState.COLLECTED],
  [DoubtOutcome.RECALLED, ReservationState.RECALLED],
  [DoubtOutcome.NO_PARCEL, ReservationState.NO_SHOW],
]);
