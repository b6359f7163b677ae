import { ReservationState } from "@petak/protocol";
import type { DoorRefusal } from "./refusals.ts";
import type { ChosenDoor } from "./reservation-rules.ts";
import type { DoorSnapshot } from "./snapshot.ts";

/** A verified right to SERVICE, and the door that its holder wants to open. */
export interface ServiceRight {
  /** The one door that it covers. Empty: every door behind which there is no parcel. */
  readonly allowedId: string;
  /** The door to open. Empty: none was named. */
  readonly compartmentId: string;
}

/**
 * The door that opens for SERVICE, with the reservation whose parcel is behind it, or why none opens. A door behind which there may be a parcel opens only if the
 * operator has named it in the token.
 */
export function chooseForService({ allowedId, compartmentId }: ServiceRight, snapshot: DoorSnapshot): ChosenDoor | DoorRefusal {
  const compartment = snapshot.compartments.find((one) => one.compartmentId === compartmentId);
  if (compartment === undefined || (allowedId !== "" && allowedId !== compartmentId)) return "COMPARTMENT";
  if (snapshot.visits.some((visit) => visit.compartmentId === compartmentId)) return "IN_USE";
  const reservationId = compartment.reservationId === "" ? reservationByGateway(compartmentId, snapshot) : compartment.reservationId;
  const mayHoldParcel = reservationId !== "" || compartment.occupancy === "OCCUPIED" || compartment.condition === "IN_DOUBT";
  if (mayHoldParcel && allowedId === "") return "OCCUPIED";
  return { compartmentId, reservationId };
}

/** The reservation whose parcel is behind a door according to the gateway, unless the agent's own record has it behind another door. */
function reservationByGateway(compartmentId: string, { allowances, compartments }: DoorSnapshot): string {
  const allowance = allowances.find((one) => one.compartmentId === compartmentId && one.state === ReservationState.DEPOSITED);
  if (allowance === undefined || compartments.some(({ reservationId }) => reservationId === allowance.reservationId)) return "";
  return allowance.reservationId;
}
