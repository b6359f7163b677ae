import type { Act, Purpose } from "@petak/protocol";
import type { ShiftCount } from "@petak/protocol/counter";
import type { Driver } from "./driver.ts";
import type { RoughStore } from "./rough-store.ts";
import type { Action, Tablet } from "./tablet.ts";

/** A store with the tablets that are in use there now. */
export interface Shop {
  readonly name: string;
  readonly store: RoughStore;
  readonly tablets: Tablet[];
}

/** A parcel, and where it really is. */
export interface Parcel {
  readonly reservationId: string;
  readonly label: string;
  readonly shop: Shop;
  readonly driver: Driver;
  readonly sizeClassId: string;
  readonly purpose: Purpose;
  /** What its collector pays, in whole units. 0: nothing. */
  readonly cash: number;
  readonly codes: Code[];
  where: "outside" | "on the shelf" | "with its collector" | "with its courier";
  /** Whether the answers of the store say that it lies on the shelf. */
  isRecorded: boolean;
  /** Whether something about it was lost with a tablet, so that the store's record may be behind until somebody has looked. */
  isLoose: boolean;
  /** Whether a clerk has said that it cannot be found. */
  isMissed: boolean;
  /** When an entry about it was last made or answered, as a number that rises with all that happens. */
  touchedAt: number;
  /** When the entry was made whose answer {@link Parcel.isRecorded} is of. */
  recordedAt: number;
  isCancelled: boolean;
}

/** A credential, and what came of it. */
export interface Code {
  readonly parcel: Parcel;
  readonly act: Act;
  readonly text: string;
  /** The hand-overs that it began. */
  readonly begun: Set<string>;
  /** How often its parcel changed hands by it. */
  moved: number;
}

/** An entry without an answer. */
export interface Waiting {
  readonly tablet: Tablet;
  readonly action: Action;
  readonly parcels: readonly Parcel[];
  readonly onLost: (() => void) | undefined;
}

/** A clerk's till. */
export interface Till {
  /** What the store's answers say that it holds. */
  cash: number;
  /** Payments without an answer. */
  waiting: number;
  /** Whether something about it was lost with a tablet, so that the store's record may be another, until the next count. */
  isLoose: boolean;
  /** When a payment was last answered, as {@link Parcel.touchedAt}. */
  touchedAt: number;
}

/** A blind count at the end of a shift. */
export interface Count {
  readonly shop: Shop;
  readonly clerkId: string;
  /** The order in which it was made among all that happened. */
  readonly at: number;
  /** What the clerk scanned. Empty: the shelf was counted by number. */
  readonly labels: readonly string[];
  readonly counted: number;
  /** Labels that are no parcel's of this store. */
  readonly strays: readonly string[];
  readonly cash: number;
  outcome: "waits" | "lost" | "no shift" | "counted";
  shown?: ShiftCount;
}

/** A courier's visit at a store. */
export interface Visit {
  readonly deliveryId: string;
  readonly shop: Shop;
  readonly driver: Driver;
  readonly isIn: boolean;
  /** The parcels that lie on the counter, scanned. */
  scanned: Set<Parcel>;
  /** What the driver has signed. Empty: nothing yet. */
  courierCode: string;
  listed: Parcel[];
  isOver: boolean;
}

/** Everything that happened, in plain sets. */
export interface Truth {
  readonly parcels: Parcel[];
  readonly counts: Count[];
  readonly visits: Visit[];
  readonly waiting: Set<Waiting>;
  readonly tills: Map<string, Till>;
  /** What nobody may ever see, as it was seen. */
  readonly faults: string[];
}
