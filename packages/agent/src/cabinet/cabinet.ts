/** What a door's sensor says. */
export type DoorState = "OPEN" | "CLOSED" | "UNKNOWN";

/** What a compartment's sensor says. UNKNOWN where there is none, or it gives nothing that can be relied on. */
export type Occupancy = "OCCUPIED" | "EMPTY" | "UNKNOWN";

/** One door of a cabinet. */
export interface CabinetCompartment {
  /** The operator's name of the door, as the site lists it. */
  readonly compartmentId: string;
  /** Its size class. */
  readonly sizeClassId: string;
}

/** A terminal's locks and sensors. An agent asks it and never remembers for it. */
export interface Cabinet {
  /** Its doors, in the order in which they are preferred. */
  compartments(): readonly CabinetCompartment[];
  /**
   * Pulses a lock. Resolves when the lock has acted; rejects where it certainly did not open the door.
   */
  open(compartmentId: string): Promise<void>;
  doorState(compartmentId: string): DoorState;
  occupancy(compartmentId: string): Occupancy;
  /**
   * Calls a listener whenever a sensor of a compartment says something new. It may call it too often.
   *
   * @returns a function that ends it
   */
  onChange(listener: (compartmentId: string) => void): () => void;
}
