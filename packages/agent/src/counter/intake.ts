import { timestampMs } from "@bufbuild/protobuf/wkt";
import { EntryRefusal, type EntryResult, type Parcel, ParcelPlace, type SetIntake } from "@petak/protocol/counter";
import type { Desk } from "../agent.ts";
import type { AgentStore } from "../store/agent-store.ts";
import { type Made, refused, result } from "./entry.ts";
import type { Shelf } from "./shelf.ts";

/** How many parcels of a size are here or promised. */
export function takenUp(sizeClassId: string, shelf: Shelf, store: AgentStore, all: readonly Parcel[]): number {
  const places = shelf.compartments().filter((place) => place.sizeClassId === sizeClassId);
  const here = places.filter(({ compartmentId }) => store.compartment(compartmentId).reservationId !== "").length;
  return here + all.filter((parcel) => parcel.place === ParcelPlace.EXPECTED && parcel.sizeClassId === sizeClassId).length;
}

/** Says what the store takes from now on. The network obeys when it has heard of it; what is promised already is still taken. */
export function setIntake(
  { desk, store, shelf, all }: { desk: Desk; store: AgentStore; shelf: Shelf; all: readonly Parcel[] },
  made: Made,
  { isPaused, pausedUntil, limits }: SetIntake,
): EntryResult {
  const sizes = store.site()?.sizeClasses ?? [];
  const inService = new Map(
    sizes.map(({ sizeClassId }) => {
      const places = shelf.compartments().filter((place) => place.sizeClassId === sizeClassId).length;
      const limit = limits.find((one) => one.sizeClassId === sizeClassId);
      return [sizeClassId, limit === undefined ? places : Math.min(places, takenUp(sizeClassId, shelf, store, all) + limit.more)];
    }),
  );
  try {
    return store.transaction(() => {
      desk.want({ paused: isPaused, inService, ...(pausedUntil && { pausedUntilMs: timestampMs(pausedUntil) }) });
      const set = result(made);
      store.counter.saveResult(set, desk.nowMs());
      return set;
    });
  } catch (error) {
    if (error instanceof RangeError) return refused(made, EntryRefusal.NO_PLACE);
    throw error;
  }
}
