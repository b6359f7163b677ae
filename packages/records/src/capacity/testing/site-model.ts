import type { ReportOutcome } from "../capacity-reports.ts";

/** A parcel of this network, as it really is and as it is recorded. */
export interface ModelParcel {
  reservationId: string;
  classIndex: number;
  /** Where it really is. A hold has no parcel inside yet; what is over takes no place any more. */
  is: "held" | "inside" | "over";
  /** What the record says of it. */
  recorded: "held" | "inside" | "over";
  /** When it went in and came out, in ms. */
  movedAtMs: { inside: number; over: number };
}

/** The places of one size class. */
export interface ModelClass {
  installed: number;
  broken: number;
  /** Places that somebody else uses. */
  foreign: number;
}

/** What a site looked like at one instant. */
export interface Snapshot {
  observedAtMs: number;
  ttlS: number;
  classes: { occupied: number; outOfService: number; foreign: number }[];
}

/** A site's doors and what of them is recorded: plain numbers, counted anew each time. */
export interface SiteModel {
  classes: ModelClass[];
  parcels: ModelParcel[];
  /** What the counts in force rest on: the report recorded last, own counts, or nothing since the places changed. */
  basis: Snapshot | "reporting_ended" | "nothing";
  /** Looks behind the doors. */
  observe(nowMs: number, ttlS: number): Snapshot;
  /** Doors of a class behind which nothing is, and which open. */
  emptyDoors(classIndex: number): number;
  /** How many more places of a class can be promised, by what the counts rest on and by every parcel as it really is. */
  promisable(classIndex: number): number;
  /** Parcels that really moved, and nobody recorded it yet. */
  unrecorded(): ModelParcel[];
  /** What must become of a report. */
  outcomeOf(snapshot: Snapshot | "reporting_ended", observedAtMs: number, nowMs: number): ReportOutcome;
  /** Takes over that a report was recorded. */
  recorded(snapshot: Snapshot | "reporting_ended", observedAtMs: number): void;
}

/** Makes the model of an empty site with so many places of each size class. */
export function createSiteModel(installed: readonly number[]): SiteModel {
  let last: { what: Snapshot | "reporting_ended"; observedAtMs: number } | undefined;
  const countOf = (classIndex: number, isCounted: (parcel: ModelParcel) => boolean) =>
    model.parcels.filter((parcel) => parcel.classIndex === classIndex && isCounted(parcel)).length;
  const insideOf = (classIndex: number) => countOf(classIndex, ({ is }) => is === "inside");

  /** When a parcel last moved, of what is recorded. */
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
