import { type Reservation, ReservationState } from "@petak/protocol";

/**
 * The compartment that a reservation has by name, so that no hard hold is promised it; empty: none. Before the deposit it is the one that a
 * hard hold was promised, after it the one behind which the agent says that the parcel lies.
 */
export function namedCompartment({ state, compartmentId, heldCompartmentId }: Reservation): string {
  switch (state) {
    case ReservationState.HELD:
    case ReservationState.CONFIRMED:
      return heldCompartmentId;
    case ReservationState.DEPOSITED:
    case ReservationState.IN_DOUBT:
      return compartmentId === "" ? heldCompartmentId : compartmentId;
    default:
      return "";
  }
}
