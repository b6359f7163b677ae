import type { Cabinet, CabinetCompartment, DoorState, Occupancy } from "../cabinet/cabinet.ts";

/** What a simulated cabinet is like. */
export interface SimulatedCabinetOptions {
  compartments: readonly CabinetCompartment[];
  /** A number in [0, 1), from a seeded source, so that faults can be had again. Default: never a fault. */
  random?: () => number;
  /** How often a lock does not open when it is pulsed. Range: [0, 1]. Default 0. */
  lockFaultRate?: number;
  /** How often a look at a compartment gives UNKNOWN. Range: [0, 1]. Default 0. */
  sensorFaultRate?: number;
  /** False: no compartment has an occupancy sensor, so all give UNKNOWN. Default true. */
  hasOccupancySensors?: boolean;
  /** The compartments in which a parcel lies already. Default none. */
  occupied?: Iterable<string>;
}

/** A cabinet in software, and the hands of the person before it. */
export interface SimulatedCabinet extends Cabinet {
  /** Puts a parcel in. Throws where the door is shut or a parcel is inside. */
  putIn(compartmentId: string): void;
  /** Takes the parcel out. Throws where the door is shut or nothing is inside. */
  takeOut(compartmentId: string): void;
  /** Closes the door. Does nothing where it is closed. */
  closeDoor(compartmentId: string): void;
  /** The compartments in which a parcel lies, whatever the sensors say: what another cabinet takes as `occupied`. */
  contents(): string[];
}

/** Makes a cabinet whose doors spring open when their locks are pulsed and stay open until somebody closes them. */
export function createSimulatedCabinet(options: SimulatedCabinetOptions): SimulatedCabinet {
  const { compartments, random = () => 1, lockFaultRate = 0, sensorFaultRate = 0, hasOccupancySensors = true } = options;
  const places = new Map(compartments.map(({ compartmentId }) => [compartmentId, { isOpen: false, isOccupied: false }]));
  const listeners = new Set<(compartmentId: string) => void>();
  for (const compartmentId of options.occupied ?? []) place(compartmentId).isOccupied = true;

  function place(compartmentId: string): { isOpen: boolean; isOccupied: boolean } {
    const found = places.get(compartmentId);
    if (found === undefined) throw new Error(`the cabinet has no compartment '${compartmentId}'`);
    return found;
  }

  function openPlace(compartmentId: string): { isOpen: boolean; isOccupied: boolean } {
    const found = place(compartmentId);
    if (!found.isOpen) throw new Error(`the door of compartment '${compartmentId}' is shut`);
    return found;
  }

  function changed(compartmentId: string): void {
    for (const listener of listeners) listener(compartmentId);
  }

  return {
    compartments: () => compartments,
    async open(compartmentId) {
      const target = place(compartmentId);
      if (random() < lockFaultRate) throw new Error(`the lock of compartment '${compartmentId}' did not open`);
      target.isOpen = true;
      changed(compartmentId);
    },
    doorState(compartmentId): DoorState {
      return place(compartmentId).isOpen ? "OPEN" : "CLOSED";
    },
    occupancy(compartmentId): Occupancy {
      const { isOccupied } = place(compartmentId);
      if (!hasOccupancySensors || random() < sensorFaultRate) return "UNKNOWN";
      return isOccupied ? "OCCUPIED" : "EMPTY";
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    putIn(compartmentId) {
      const target = openPlace(compartmentId);
      if (target.isOccupied) throw new Error(`a parcel is in compartment '${compartmentId}' already`);
      target.isOccupied = true;
      changed(compartmentId);
    },
    takeOut(compartmentId) {
      const target = openPlace(compartmentId);
      if (!target.isOccupied) throw new Error(`no parcel is in compartment '${compartmentId}'`);
      target.isOccupied = false;
      changed(compartmentId);
    },
    closeDoor(compartmentId) {
      const target = place(compartmentId);
      if (!target.isOpen) return;
      target.isOpen = false;
      changed(compartmentId);
    },
    contents: () => [...places].filter(([, { isOccupied }]) => isOccupied).map(([compartmentId]) => compartmentId),
  };
}
