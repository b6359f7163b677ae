import { ReservationState } from "@petak/protocol";
import type { DoorRefusal } from "./refusals.ts";
import type { ChosenDoor } from "./reservation-rules.ts";
import type { DoorSnapshot } from "./snapshot.ts";

/** A right to work at a site that has been proven, and the door that its holder wants to open. */
export interface ServiceRight {
  /** The one door that it is for. Empty: each behind which no parcel lies. */
  readonly allowedId: string;
  /** The door that is to open. Empty: none was named. */
  readonly compartmentId: string;
}

/**
 * The door that opens for work, with whose parcel lies behind it or nobody's, or why none. Behind a door that a parcel may lie behind nobody works by the way: the operator has to have
 * named that very door.
 */
export function chooseForService({ allowedId, compartmentId }: ServiceRight, snapshot: DoorSnapshot): ChosenDoor | DoorRefusal {
  const compartment = snapshot.compartments.find((one) => one.compartmentId === compartmentId);
  if (compartment === undefined || (allowedId !== "" && allowedId !== compartmentId)) return "COMPARTMENT";
  if (snapshot.visits.some((visit) => visit.compartmentId === compartmentId)) return "IN_USE";
  const reservationId = compartment.reservationId === "" ? toldOf(compartmentId, snapshot) : compartment.reservationId;
  const mayHoldParcel = reservationId !== "" || compartment.occupancy === "OCCUPIED" || compartment.condition === "IN_DOUBT";
  if (mayHoldParcel && allowedId === "") return "OCCUPIED";
  return { compartmentId, reservationId };
}

/** Whose parcel lies behind a door by the gateway's word, where it lies behind no other by the agent's own record. */
function toldOf(compartmentId: string, { allowances, compartments }: DoorSnapshot): string {
  const told = allowances.find((one) => one.compartmentId === compartmentId && one.state === ReservationState.DEPOSITED);
  if (told === undefined || compartments.some(({ reservationId }) => reservationId === told.reservationId)) return "";
  return told.reservationId;
}
