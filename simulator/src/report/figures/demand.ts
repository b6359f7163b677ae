import { cellToLatLng, gridDiskDistances, latLngToCell } from "h3-js";
import { type End, ends, type IntentionEnded } from "../../observe/observation.ts";
import type { CellFigures, DemandCounts, DemandFigures } from "../report.ts";
import { share } from "./spread.ts";
import { type StepClock, StepCounts } from "./step-clock.ts";

/** Resolution of the H3 cells: 0.74 km² each on average. */
export const cellResolution = 8;

/** The places of a cell. */
export type CellPlaces = Pick<CellFigures, "around" | "sites" | "installed" | "inUseBySteps">;

const outcomes = ["met", "refused", "failed"] as const;
type Outcome = (typeof outcomes)[number];

const outcomeOf: Partial<Record<End, Outcome>> = {
  collected: "met",
  recalled: "met",
  kept: "met",
  cancelled: "met",
  "no-show": "met",
  refused: "refused",
  rejected: "refused",
  "gave-up": "failed",
  expired: "failed",
  stranded: "failed",
  failed: "failed",
};

/** Whether somebody got the place that they wanted. Undefined: they wanted none, or it is not known. */
export function outcomeOfEnd({ end, siteId }: IntentionEnded): Outcome | undefined {
  return end === "unfinished" && siteId !== undefined ? "met" : outcomeOf[end];
}

const counted = ["asked", "redirected", ...outcomes] as const;
type Counted = (typeof counted)[number];

/** Counts of one place, or of all, by step. */
class DemandSteps {
  readonly #lists: Record<Counted, StepCounts>;

  constructor(clock: StepClock) {
    const list = () => clock.follow(new StepCounts());
    this.#lists = { asked: list(), redirected: list(), met: list(), refused: list(), failed: list() };
  }

  add(step: number, ended: IntentionEnded): void {
    if (ended.end === "dropped") return;
    this.#lists.asked.add(step);
    const outcome = outcomeOfEnd(ended);
    if (outcome === undefined) return;
    this.#lists[outcome].add(step);
    if (outcome === "met" && ended.isRedirected) this.#lists.redirected.add(step);
  }

  bySteps(length: number): DemandCounts[] {
    const lists = Object.fromEntries(counted.map((name) => [name, this.#lists[name].list(length)])) as Record<Counted, number[]>;
    return Array.from({ length }, (_, step) => {
      const at = (name: Counted) => lists[name][step] ?? 0;
      const [met, refused, failed] = [at("met"), at("refused"), at("failed")];
      return { asked: at("asked"), wanted: met + refused + failed, met, redirected: at("redirected"), refused, failed };
    });
  }
}

/** What became of what people asked for: in all, by step, and by the cell in which they live. */
export class Demand {
  readonly #clock: StepClock;
  readonly #all: DemandSteps;
  readonly #cells = new Map<string, DemandSteps>();
  #noSiteNear = 0;
  readonly #byEnd = Object.fromEntries(ends.map((end) => [end, 0])) as Record<End, number>;

  constructor(clock: StepClock) {
    this.#clock = clock;
    this.#all = new DemandSteps(clock);
  }

  add(ended: IntentionEnded): void {
    this.#byEnd[ended.end] += 1;
    if (ended.end === "refused" && ended.reason === "NO_SITE_NEAR") this.#noSiteNear += 1;
    const step = this.#clock.stepOf(ended.askedAtMs);
    const cell = latLngToCell(ended.latitude, ended.longitude, cellResolution);
    const known = this.#cells.get(cell) ?? new DemandSteps(this.#clock);
    this.#cells.set(cell, known);
    for (const steps of [this.#all, known]) steps.add(step, ended);
  }

  figures(): DemandFigures {
    const { starts } = this.#clock.steps();
    const bySteps = this.#all.bySteps(starts.length);
    const all = sumOf(bySteps);
    const most = bySteps.reduce((best, { asked }, step) => (asked > (bySteps[best]?.asked ?? 0) ? step : best), 0);
    return {
      ...all,
      metShare: share(all.met, all.wanted),
      redirectedShare: share(all.redirected, all.met),
      refusedShare: share(all.refused, all.wanted),
      noSiteNear: this.#noSiteNear,
      noSiteNearShare: share(this.#noSiteNear, all.wanted),
      noneFree: all.refused - this.#noSiteNear,
      noneFreeShare: share(all.refused - this.#noSiteNear, all.wanted),
      failedShare: share(all.failed, all.wanted),
      byEnd: { ...this.#byEnd },
      bySteps,
      busiest: all.asked === 0 ? null : { start: starts[most] ?? "", asked: bySteps[most]?.asked ?? 0 },
    };
  }

  /** @param places what is in each cell that has a site */
  cells(places: ReadonlyMap<string, CellPlaces>): CellFigures[] {
    const { length } = this.#clock.steps().starts;
    const none: CellPlaces = { around: null, sites: 0, installed: 0, inUseBySteps: [] };
    const figuresOf = (cell: string): CellFigures => {
      const bySteps = this.#cells.get(cell)?.bySteps(length) ?? [];
      const sum = sumOf(bySteps);
      const [latitude, longitude] = cellToLatLng(cell);
      return {
        cell,
        latitude,
        longitude,
        ...(places.get(cell) ?? { ...none, around: aroundOf(cell, places) }),
        ...sum,
        metShare: share(sum.met, sum.wanted),
        wantedBySteps: untilLast(bySteps.map(({ wanted }) => wanted)),
        refusedBySteps: untilLast(bySteps.map(({ refused }) => refused)),
      };
    };
    const known = [...new Set([...this.#cells.keys(), ...places.keys()])].map(figuresOf);
    return known.sort((a, b) => b.asked - a.asked || b.installed - a.installed || (a.cell < b.cell ? -1 : 1));
  }
}

/** The nearest name up to three cells away. */
function aroundOf(cell: string, places: ReadonlyMap<string, CellPlaces>): string | null {
  const named = gridDiskDistances(cell, 3).flatMap((ring) => ring.filter((other) => places.has(other)).sort());
  return places.get(named[0] ?? "")?.around ?? null;
}

/** Without the zeros at its end. */
function untilLast(counts: readonly number[]): number[] {
  return counts.slice(0, counts.findLastIndex((count) => count > 0) + 1);
}

function sumOf(counts: readonly DemandCounts[]): DemandCounts {
  const sum = { asked: 0, wanted: 0, met: 0, redirected: 0, refused: 0, failed: 0 };
  for (const each of counts) {
    for (const name of Object.keys(sum) as (keyof DemandCounts)[]) sum[name] += each[name];
  }
  return sum;
}
