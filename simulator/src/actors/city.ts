import type { PetakClient } from "@petak/client/node";
import type { Site } from "@petak/protocol";
import type { Caller } from "./calls.ts";
import type { Life, Visited, Visitor } from "./life.ts";
import type { Lives } from "./lives.ts";
import type { Schedule } from "./moment.ts";
import type { ActorParameters, Faults } from "./parameters.ts";
import type { CitySites } from "./sites.ts";
import type { Doors } from "./terminals.ts";

/** Everything that actors need. */
export interface City extends Caller {
  readonly schedule: Schedule;
  readonly sites: CitySites;
  readonly doors: Doors;
  readonly lives: Lives;
  readonly parameters: ActorParameters;
  readonly faults: Faults;
  /** The trace's `startAt`, in ms since 1970. */
  readonly startAtMs: number;
  readonly timeZone: string;
  /** Whose directory shoppers read; undefined: that of their courier. */
  readonly shop: PetakClient | undefined;
  /** Hands something to the courier of an intention, to be done on its next round. */
  readonly nextRound: (planMs: number, errand: Errand) => void;
  /** A lock has failed at a site: a technician is to come. */
  readonly lockFailed: (site: Site) => void;
  /** Has a visit made by the member of the process group that has the door. Undefined, also what it returns: it is made here. */
  readonly visitElsewhere?: (life: Visitor, act: Errand["act"]) => Promise<Visited> | undefined;
}

/** What a courier does at a site for one parcel. */
export interface Errand {
  readonly life: Life;
  readonly act: "DEPOSIT" | "COLLECT" | "RECALL";
}
