import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isAccessClosed } from "@petak/lifecycle";
import { Act } from "@petak/protocol";
import type { DoorRefusal } from "./refusals.ts";
import type { DoorSnapshot } from "./snapshot.ts";

/** A right that has been proven: for a reservation. */
export interface ProvenRight {
  readonly act: Act;
  readonly reservationId: string;
  /** Needed for DEPOSIT. */
  readonly sizeClassId: string | undefined;
}

/** A door that may be opened, and for whose parcel. */
export interface ChosenDoor {
  readonly compartmentId: string;
  readonly reservationId: string;
}

/**
 * Which doors a proven right may open, the preferred one first, or why none. What the agent saw itself goes before what the gateway told
 * it: a parcel that was deposited a minute ago without the network can be collected without it.
 */
export function chooseCompartments(right: ProvenRight, snapshot: DoorSnapshot, nowMs: number): readonly string[] | DoorRefusal {
  const { act, reservationId } = right;
  // The gateway may not have heard, and other credentials of the reservation may be about.
  if (snapshot.hasEnded(reservationId)) return "RESERVATION_STATE";
  const allowances = snapshot.allowances.filter((one) => one.reservationId === reservationId);
  // Whichever act the gateway tells it with: one that is over may be named with its deposit alone.
  if (allowances.some(isAccessClosed)) return "RESERVATION_STATE";
  // Who takes a parcel back opens the door that its collector would.
  const allowance = allowances.find((one) => one.act === (act === Act.RECALL ? Act.COLLECT : act));
  if (snapshot.visits.some((visit) => visit.reservationId === reservationId)) return "IN_USE";
  if (act === Act.DEPOSIT) return chooseForDeposit(right, allowance?.compartmentId ?? "", snapshot, nowMs);
  return chooseForCollection(reservationId, allowance?.compartmentId, snapshot);
}

/** A deposit whose hold is hard opens the door that it was promised and no other; every other deposit leaves that door alone. */
function chooseForDeposit(
  { reservationId, sizeClassId }: ProvenRight,
  promisedId: string,
  snapshot: DoorSnapshot,
  nowMs: number,
): readonly string[] | DoorRefusal {
  const { compartments, visits } = snapshot;
  if (compartments.some((compartment) => compartment.reservationId === reservationId)) return "ALREADY_DEPOSITED";
  const taken = new Set(visits.map(({ compartmentId }) => compartmentId));
  for (const compartmentId of promisedToOthers(reservationId, snapshot, nowMs)) taken.add(compartmentId);
  const free = compartments.filter(
    ({ compartmentId, ...compartment }) =>
      compartment.sizeClassId === sizeClassId &&
      compartment.condition === "OK" &&
      compartment.reservationId === "" &&
      compartment.door === "CLOSED" &&
      // A place that cannot be seen empty is not free: the record alone has been wrong before.
      compartment.occupancy === "EMPTY" &&
      !taken.has(compartmentId),
  );
  const freeIds = free.map(({ compartmentId }) => compartmentId);
  if (promisedId !== "") return freeIds.includes(promisedId) ? [promisedId] : "PROMISED_COMPARTMENT";
  return freeIds.length === 0 ? "NO_COMPARTMENT" : freeIds;
}

/**
 * The doors that hard holds of other reservations were promised. A promise ends with its hold, by the agent's own clock too: one that has not
 * reached its gateway for days must not keep doors for parcels that nobody brings any more.
 */
function promisedToOthers(reservationId: string, { allowances, maxSkewMs }: DoorSnapshot, nowMs: number): string[] {
  const promises = allowances.filter(
    (allowance) =>
      allowance.act === Act.DEPOSIT &&
      allowance.compartmentId !== "" &&
      allowance.reservationId !== reservationId &&
      !isAccessClosed(allowance) &&
      (allowance.expiresAt === undefined || nowMs - maxSkewMs < timestampMs(allowance.expiresAt)),
  );
  return promises.map(({ compartmentId }) => compartmentId);
}

function chooseForCollection(reservationId: string, toldId: string | undefined, snapshot: DoorSnapshot): readonly string[] | DoorRefusal {
  const seen = snapshot.compartments.find((compartment) => compartment.reservationId === reservationId);
  const told = snapshot.compartments.find(({ compartmentId, reservationId: holder }) => compartmentId === toldId && holder === "");
  const compartment = seen ?? told;
  if (compartment === undefined) return "NOT_DEPOSITED";
  // What lies behind a door that somebody else has just opened is not yet known.
  if (snapshot.visits.some(({ compartmentId }) => compartmentId === compartment.compartmentId)) return "IN_USE";
  return compartment.condition === "IN_DOUBT" ? "IN_DOUBT" : [compartment.compartmentId];
}
