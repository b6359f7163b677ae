import type { ReportOutcome } from "../capacity-reports.ts";

/** A parcel of this network, in reality and in the store. */
export interface ModelParcel {
  reservationId: string;
  classIndex: number;
  /** Its real state. `held`: not deposited yet; `over`: it takes no place any more. */
  is: "held" | "inside" | "over";
  /** Its recorded state. */
  recorded: "held" | "inside" | "over";
  /** When it went in and came out, in ms. */
  movedAtMs: { inside: number; over: number };
}

/** The places of one size class. */
export interface ModelClass {
  installed: number;
  broken: number;
  /** Places occupied by others. */
  foreign: number;
}

/** A site's places at one instant. */
export interface Snapshot {
  observedAtMs: number;
  ttlS: number;
  classes: { occupied: number; outOfService: number; foreign: number }[];
}

/** A model of a site's doors and of what is recorded: plain numbers, counted from scratch each time. */
export interface SiteModel {
  classes: ModelClass[];
  parcels: ModelParcel[];
  /** The basis of the counts in force: the last report, the gateway's own counts, or nothing since the places changed. */
  basis: Snapshot | "reporting_ended" | "nothing";
  /** Takes a snapshot. */
  observe(nowMs: number, ttlS: number): Snapshot;
  /** Working doors of a class with an empty compartment. */
  emptyDoors(classIndex: number): number;
  /** The number of places of a class that can be promised, by the basis of the counts and the real state of every parcel. */
  promisable(classIndex: number): number;
  /** Parcels whose last movement is not recorded yet. */
  unrecorded(): ModelParcel[];
  /** The expected outcome of a report. */
  outcomeOf(snapshot: Snapshot | "reporting_ended", observedAtMs: number, nowMs: number): ReportOutcome;
  /** Applies a recorded report. */
  recorded(snapshot: Snapshot | "reporting_ended", observedAtMs: number): void;
}

/** Creates the model of an empty site. */
export function createSiteModel(installed: readonly number[]): SiteModel {
  let last: { what: Snapshot | "reporting_ended"; observedAtMs: number } | undefined;
  const countOf = (classIndex: number, isCounted: (parcel: ModelParcel) => boolean) =>
    model.parcels.filter((parcel) => parcel.classIndex === classIndex && isCounted(parcel)).length;
  const insideOf = (classIndex: number) => countOf(classIndex, ({ is }) => is === "inside");

  /** When a parcel last moved, by what is recorded. */
  function lastMovedAtMs(): number {
    return Math.max(
      0,
      ...model.parcels.flatMap(({ recorded, movedAtMs }) =>
        recorded === "held" ? [] : recorded === "inside" ? [movedAtMs.inside] : [movedAtMs.inside, movedAtMs.over],
      ),
    );
  }

  const model: SiteModel = {
    classes: installed.map((places) => ({ installed: places, broken: 0, foreign: 0 })),
    parcels: [],
    basis: "reporting_ended",
    observe: (observedAtMs, ttlS) => ({
      observedAtMs,
      ttlS,
      classes: model.classes.map(({ broken, foreign }, classIndex) => ({
        occupied: foreign + insideOf(classIndex),
        outOfService: broken,
        foreign,
      })),
    }),
    emptyDoors(classIndex) {
      const { installed: places, broken, foreign } = model.classes[classIndex] as ModelClass;
      return places - broken - foreign - insideOf(classIndex);
    },
    promisable(classIndex) {
      const { installed: places } = model.classes[classIndex] as ModelClass;
      const said = typeof model.basis === "string" ? undefined : model.basis.classes[classIndex];
      const taken = countOf(classIndex, ({ is }) => is !== "over");
      return Math.max(0, places - (said?.outOfService ?? 0) - (said?.foreign ?? 0) - taken);
    },
    unrecorded: () => model.parcels.filter(({ is, recorded }) => is !== recorded),
    outcomeOf(snapshot, observedAtMs, nowMs) {
      if (last?.what === snapshot && last.observedAtMs === observedAtMs && model.basis !== "nothing") return "recorded";
      if (last !== undefined && observedAtMs <= last.observedAtMs) return "outdated";
      if (snapshot === "reporting_ended") return "recorded";
      const isOver = nowMs >= Math.floor(observedAtMs / 1000) * 1000 + snapshot.ttlS * 1000;
      return isOver || observedAtMs <= lastMovedAtMs() ? "outdated" : "recorded";
    },
    recorded(snapshot, observedAtMs) {
      last = { what: snapshot, observedAtMs };
      model.basis = snapshot;
    },
  };
  return model;
}
