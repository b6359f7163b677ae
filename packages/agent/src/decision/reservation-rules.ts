import { timestampMs } from "@bufbuild/protobuf/wkt";
import { isAccessClosed, keepsReservations } from "@petak/lifecycle";
import { Act } from "@petak/protocol";
import type { DoorRefusal } from "./refusals.ts";
import type { DoorSnapshot } from "./snapshot.ts";

/** A verified right for a reservation. */
export interface ProvenRight {
  readonly act: Act;
  readonly reservationId: string;
  /** Required for DEPOSIT. */
  readonly sizeClassId: string | undefined;
}

/** A door that may be opened, and the reservation for which it opens. */
export interface ChosenDoor {
  readonly compartmentId: string;
  readonly reservationId: string;
}

/**
 * The doors that a verified right may open, in order of preference, or why none. The agent's own record takes precedence over the gateway's allowances: a parcel
 * that was deposited offline can be collected offline.
 */
export function chooseCompartments(right: ProvenRight, snapshot: DoorSnapshot, nowMs: number): readonly string[] | DoorRefusal {
  const { act, reservationId } = right;
  // The gateway may not know yet, and the reservation may have other credentials.
  if (snapshot.hasEnded(reservationId)) return "RESERVATION_STATE";
  const allowances = snapshot.allowances.filter((one) => one.reservationId === reservationId);
  // Allowances of any act count: a reservation that has ended may have only one for DEPOSIT.
  if (allowances.some(isAccessClosed)) return "RESERVATION_STATE";
  // A recall opens the same door as a collection.
  const allowance = allowances.find((one) => one.act === (act === Act.RECALL ? Act.COLLECT : act));
  if (snapshot.visits.some((visit) => visit.reservationId === reservationId)) return "IN_USE";
  if (act === Act.DEPOSIT) return chooseForDeposit(right, allowance?.compartmentId ?? "", snapshot, nowMs);
  return chooseForCollection(reservationId, allowance?.compartmentId, snapshot);
}

/** A deposit for a hard hold opens only the promised door; other deposits never do. */
function chooseForDeposit(
  { reservationId, sizeClassId }: ProvenRight,
  promisedId: string,
  snapshot: DoorSnapshot,
  nowMs: number,
): readonly string[] | DoorRefusal {
  const { compartments, visits } = snapshot;
  if (compartments.some((compartment) => compartment.reservationId === reservationId)) return "ALREADY_DEPOSITED";
  if (!keepsReservations(snapshot.service) || snapshot.outOfService.has("")) return "SITE_OUT_OF_SERVICE";
  const taken = new Set(visits.map(({ compartmentId }) => compartmentId));
  for (const compartmentId of promisedToOthers(reservationId, snapshot, nowMs)) taken.add(compartmentId);
  const free = compartments.filter(
    ({ compartmentId, ...compartment }) =>
      compartment.sizeClassId === sizeClassId &&
      compartment.condition === "OK" &&
      compartment.reservationId === "" &&
      !snapshot.outOfService.has(compartmentId) &&
      compartment.door === "CLOSED" &&
      // Without a sensor reading the place is not free: the record alone may be wrong.
      compartment.occupancy === "EMPTY" &&
      !taken.has(compartmentId),
  );
  const freeIds = free.map(({ compartmentId }) => compartmentId);
  if (promisedId !== "") return freeIds.includes(promisedId) ? [promisedId] : "PROMISED_COMPARTMENT";
  return freeIds.length === 0 ? "NO_COMPARTMENT" : freeIds;
}

/**
 * The doors promised to hard holds of other reservations. A promise also ends by the agent's own clock, so that an agent that is offline for days does not keep
 * doors for expired holds.
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

function chooseForCollection(
  reservationId: string,
  allowedId: string | undefined,
  snapshot: DoorSnapshot,
): readonly string[] | DoorRefusal {
  const recorded = snapshot.compartments.find((compartment) => compartment.reservationId === reservationId);
  const allowed = snapshot.compartments.find(({ compartmentId, reservationId: holder }) => compartmentId === allowedId && holder === "");
  const compartment = recorded ?? allowed;
  if (compartment === undefined) return "NOT_DEPOSITED";
  // The outcome of somebody else's visit to this door is not known yet.
  if (snapshot.visits.some(({ compartmentId }) => compartmentId === compartment.compartmentId)) return "IN_USE";
  return compartment.condition === "IN_DOUBT" ? "IN_DOUBT" : [compartment.compartmentId];
}
