import { EntryRefusal, type EntryResult, type PlaceParcel } from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type Made, refused, result } from "./entry.ts";
import type { Parcels } from "./parcels.ts";
import type { PlaceOrder } from "./place-order.ts";

/** Puts a parcel on another place of the shelf, or on one again after it was missing: then its codes are good again. */
export function placeParcel(
  options: { desk: Desk; store: AgentStore; parcels: Parcels; order: PlaceOrder },
  made: Made,
  { reservationId, shelfPlace }: PlaceParcel,
): EntryResult {
  const { desk, store, parcels, order } = options;
  const { counter } = store;
  const from = parcels.placeOf(reservationId);
  if (from === undefined) return refused(made, EntryRefusal.ENDED);
  if (counter.openHandOverAt(from) !== undefined) return refused(made, EntryRefusal.IN_USE);
  const isKnown = order.sizeOf(shelfPlace) !== undefined;
  const isTaken = shelfPlace !== from && (store.compartment(shelfPlace).reservationId !== "" || counter.isOccupied(shelfPlace));
  if (!isKnown || isTaken || counter.openHandOverAt(shelfPlace) !== undefined) return refused(made, EntryRefusal.NO_PLACE);
  const nowMs = desk.nowMs();
  const isFound = store.compartment(from).condition === "IN_DOUBT";
  store.transaction(() => {
    store.saveCompartment({ compartmentId: from, condition: "OK", reservationId: "" });
    counter.setOccupied(from, false);
    store.saveCompartment({ compartmentId: shelfPlace, condition: "OK", reservationId });
    counter.setOccupied(shelfPlace, true);
    const before = counter.parcel(reservationId) ?? { reservationId, label: "", cameAtMs: nowMs, isForCourier: false, isFound: false };
    // Where a missing parcel turns up is nobody's choice.
    if (!isFound && shelfPlace !== from && order.sizeOf(shelfPlace) === order.sizeOf(from)) order.chosen(shelfPlace, from);
    counter.saveParcel({ ...before, isFound: isFound || before.isFound });
    counter.saveResult(result(made), nowMs);
  });
  return result(made);
}
