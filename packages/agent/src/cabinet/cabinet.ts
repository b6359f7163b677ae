/** Reading of a door sensor. */
export type DoorState = "OPEN" | "CLOSED" | "UNKNOWN";

/** Reading of an occupancy sensor. UNKNOWN: there is no sensor, or its reading is unreliable. */
export type Occupancy = "OCCUPIED" | "EMPTY" | "UNKNOWN";

/** One door of a cabinet. */
export interface CabinetCompartment {
  /** The operator's name of the door, as in the site's data. */
  readonly compartmentId: string;
  readonly sizeClassId: string;
}

/** A lock of which nobody knows whether it opened its door, or will yet. */
export class LockUncertainError extends Error {
  override readonly name = "LockUncertainError";
}

/** A terminal's locks and sensors. The agent reads it each time and caches nothing. */
export interface Cabinet {
  /** Its doors, in the order of preference. */
  compartments(): readonly CabinetCompartment[];
  /**
   * Pulses a lock. Resolves when the lock has acted. Rejects with a {@link LockUncertainError} if the door may have opened or may open yet, and with any other error only
   * if it certainly did not: then the agent may open another door in its place.
   */
  open(compartmentId: string): Promise<void>;
  doorState(compartmentId: string): DoorState;
  occupancy(compartmentId: string): Occupancy;
  /**
   * Calls a listener when a sensor reading of a compartment changes. Spurious calls are allowed.
   *
   * @returns a function that removes the listener
   */
  onChange(listener: (compartmentId: string) => void): () => void;
}
