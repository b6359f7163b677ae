import type { Cabinet, CabinetCompartment } from "../cabinet/cabinet.ts";
import type { CounterRecords } from "../store/counter-records.ts";

/** The shelf behind a store's counter: a cabinet whose locks and sensors are a clerk. */
export interface Shelf extends Cabinet {
  /** Tells the agent that something has changed at a place. */
  changed(placeId: string): void;
  /** Notes parcels that were there before anybody looked. */
  fill(placeIds: Iterable<string>): void;
}

/**
 * Makes a shelf. A place reads OPEN while a hand-over or take-in is under way there, and OCCUPIED from the moment a parcel was put on it until it was handed over. Both
 * are on disk, so a restart changes no reading. Its places have no locks: what opens one is the record of a hand-over, made before {@link Cabinet.open} is called.
 */
export function createShelf(records: CounterRecords, places: readonly CabinetCompartment[]): Shelf {
  const listeners = new Set<(placeId: string) => void>();

  function changed(placeId: string): void {
    for (const listener of listeners) listener(placeId);
  }

  return {
    compartments: () => places,
    async open(placeId) {
      // A technician, who has no hand-over, looks at a place and is done: the agent reads it again.
      queueMicrotask(() => changed(placeId));
    },
    doorState: (placeId) => (records.openHandOverAt(placeId) === undefined ? "CLOSED" : "OPEN"),
    occupancy: (placeId) => (records.isOccupied(placeId) ? "OCCUPIED" : "EMPTY"),
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    changed,
    fill(placeIds) {
      for (const placeId of placeIds) records.setOccupied(placeId, true);
    },
  };
}
