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

/** A terminal's locks and sensors. The agent reads it each time and caches nothing. */
export interface Cabinet {
  /** Its doors, in the order of preference. */
  compartments(): readonly CabinetCompartment[];
  /** Pulses a lock. Resolves when the lock has acted; rejects only if the door certainly did not open. */
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
