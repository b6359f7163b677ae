import type { Cabinet, CabinetCompartment, DoorState, Occupancy } from "../cabinet/cabinet.ts";

export interface SimulatedCabinetOptions {
  compartments: readonly CabinetCompartment[];
  /** Random numbers in [0, 1) from a seeded source, so that faults are reproducible. Default: no faults. */
  random?: () => number;
  /** Probability that a lock does not open. Range: [0, 1]. Default 0. */
  lockFaultRate?: number;
  /** Probability that a reading of an occupancy sensor is UNKNOWN. Range: [0, 1]. Default 0. */
  sensorFaultRate?: number;
  /** False: there are no occupancy sensors; all readings are UNKNOWN. Default true. */
  hasOccupancySensors?: boolean;
  /** The compartments that contain a parcel at the start. Default none. */
  occupied?: Iterable<string>;
}

/** A simulated cabinet, with the actions of the person in front of it. */
export interface SimulatedCabinet extends Cabinet {
  /** Puts a parcel in. Throws if the door is closed or a parcel is inside. */
  putIn(compartmentId: string): void;
  /** Takes the parcel out. Throws if the door is closed or nothing is inside. */
  takeOut(compartmentId: string): void;
  /** Makes compartments contain a parcel that was put in before anybody looked. */
  fill(compartmentIds: Iterable<string>): void;
  /** Closes the door, if it is open. */
  closeDoor(compartmentId: string): void;
  /** Jams a lock, so that its door does not open until it is freed. */
  setJammed(compartmentId: string, isJammed: boolean): void;
  isJammed(compartmentId: string): boolean;
  /** The compartments that contain a parcel, regardless of sensor faults; can be passed to another cabinet as `occupied`. */
  contents(): string[];
}

interface Place {
  isOpen: boolean;
  isOccupied: boolean;
  isJammed: boolean;
}

/** Makes a cabinet whose doors open when their locks are pulsed and stay open until somebody closes them. */
export function createSimulatedCabinet(options: SimulatedCabinetOptions): SimulatedCabinet {
  const { compartments, random = () => 1, lockFaultRate = 0, sensorFaultRate = 0, hasOccupancySensors = true } = options;
  const places = new Map(compartments.map(({ compartmentId }) => [compartmentId, { isOpen: false, isOccupied: false, isJammed: false }]));
  const listeners = new Set<(compartmentId: string) => void>();
  fill(options.occupied ?? []);

  function place(compartmentId: string): Place {
    const found = places.get(compartmentId);
    if (found === undefined) throw new Error(`the cabinet has no compartment '${compartmentId}'`);
    return found;
  }

  function fill(compartmentIds: Iterable<string>): void {
    for (const compartmentId of compartmentIds) place(compartmentId).isOccupied = true;
  }

  function openPlace(compartmentId: string): Place {
    const found = place(compartmentId);
    if (!found.isOpen) throw new Error(`the door of compartment '${compartmentId}' is closed`);
    return found;
  }

  function changed(compartmentId: string): void {
    for (const listener of listeners) listener(compartmentId);
  }

  return {
    compartments: () => compartments,
    async open(compartmentId) {
      const target = place(compartmentId);
      if (target.isJammed || random() < lockFaultRate) throw new Error(`the lock of compartment '${compartmentId}' did not open`);
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
      if (target.isOccupied) throw new Error(`there is already a parcel in compartment '${compartmentId}'`);
      target.isOccupied = true;
      changed(compartmentId);
    },
    takeOut(compartmentId) {
      const target = openPlace(compartmentId);
      if (!target.isOccupied) throw new Error(`there is no parcel in compartment '${compartmentId}'`);
      target.isOccupied = false;
      changed(compartmentId);
    },
    fill,
    closeDoor(compartmentId) {
      const target = place(compartmentId);
      if (!target.isOpen) return;
      target.isOpen = false;
      changed(compartmentId);
    },
    setJammed(compartmentId, isJammed) {
      place(compartmentId).isJammed = isJammed;
    },
    isJammed: (compartmentId) => place(compartmentId).isJammed,
    contents: () => [...places].filter(([, { isOccupied }]) => isOccupied).map(([compartmentId]) => compartmentId),
  };
}
