import { latLngToCell } from "h3-js";
import type { IntentionEnded, SiteSampled, SiteSeen } from "../../observe/observation.ts";
import type { OccupancyFigures, SiteFigures } from "../report.ts";
import { type CellPlaces, cellResolution, outcomeOfEnd } from "./demand.ts";
import { share } from "./spread.ts";
import { type StepClock, StepLevels } from "./step-clock.ts";

interface Site {
  readonly seen: SiteSeen;
  readonly occupied: StepLevels;
  readonly held: StepLevels;
  met: number;
}

type Levels = readonly (number | null)[];

/** The sites of the city, and how full they are. */
export class Sites {
  readonly #clock: StepClock;
  readonly #sites = new Map<string, Site>();

  constructor(clock: StepClock) {
    this.#clock = clock;
  }

  see(seen: SiteSeen): void {
    const known = this.#sites.get(seen.siteId);
    const levels = () => this.#clock.follow(new StepLevels());
    this.#sites.set(seen.siteId, known === undefined ? { seen, occupied: levels(), held: levels(), met: 0 } : { ...known, seen });
  }

  sample({ siteId, atMs, sizeClasses }: SiteSampled): void {
    const site = this.#sites.get(siteId);
    if (site === undefined) return;
    const step = this.#clock.stepOf(atMs);
    site.occupied.set(step, sum(sizeClasses.map(({ occupied }) => occupied)));
    site.held.set(step, sum(sizeClasses.map(({ held }) => held)));
  }

  end(ended: IntentionEnded): void {
    const site = this.#sites.get(ended.siteId ?? "");
    if (site !== undefined && outcomeOfEnd(ended) === "met") site.met += 1;
  }

  /** Those that take parcels, as last seen. */
  seen(): SiteSeen[] {
    return [...this.#sites.values()].map(({ seen }) => seen);
  }

  figures(): SiteFigures[] {
    const { length } = this.#clock.steps().starts;
    const figures = [...this.#sites.values()].map(({ seen, occupied, held, met }): SiteFigures => {
      const { siteId, ref, name, isStore, isActive, latitude, longitude } = seen;
      const inUseBySteps = add([occupied.list(length), held.list(length)], length);
      const mostInUse = Math.max(0, ...inUseBySteps.map((inUse) => inUse ?? 0));
      const installed = installedOf(seen);
      const mostInUseShare = share(mostInUse, installed);
      return { siteId, ref, name, isStore, isActive, latitude, longitude, installed, met, mostInUse, mostInUseShare, inUseBySteps };
    });
    return figures.sort((a, b) => (b.mostInUseShare ?? 0) - (a.mostInUseShare ?? 0) || b.met - a.met || (a.siteId < b.siteId ? -1 : 1));
  }

  occupancy(): OccupancyFigures {
    const { starts } = this.#clock.steps();
    const all = [...this.#sites.values()];
    const installed = sum(all.map(({ seen }) => installedOf(seen)));
    const lists = (name: "occupied" | "held") =>
      add(
        all.map((site) => site[name].list(starts.length)),
        starts.length,
      );
    const [occupied, held] = [lists("occupied"), lists("held")];
    const bySteps = occupied.map((count, step) => {
      const others = held[step] ?? null;
      return { occupied: count, held: others, inUseShare: count === null || others === null ? null : share(count + others, installed) };
    });
    let fullest: OccupancyFigures["fullest"] = null;
    for (const [step, { occupied, held, inUseShare }] of bySteps.entries()) {
      if (occupied === null || held === null || inUseShare === null || inUseShare <= (fullest?.inUseShare ?? -1)) continue;
      fullest = { start: starts[step] ?? "", occupied, held, inUseShare };
    }
    return { sites: all.length, installed, bySteps, fullest };
  }

  /** The cells that have a site, with their places. */
  cells(): Map<string, CellPlaces> {
    const { length } = this.#clock.steps().starts;
    const byCell = Map.groupBy(this.#sites.values(), ({ seen }) => latLngToCell(seen.latitude, seen.longitude, cellResolution));
    const placesOf = (sites: readonly Site[]) => ({
      around: sites.reduce((most, one) => (installedOf(one.seen) > installedOf(most.seen) ? one : most)).seen.name,
      sites: sites.length,
      installed: sum(sites.map(({ seen }) => installedOf(seen))),
      inUseBySteps: add(
        sites.flatMap(({ occupied, held }) => [occupied.list(length), held.list(length)]),
        length,
      ),
    });
    return new Map([...byCell].map(([cell, sites]) => [cell, placesOf(sites)]));
  }
}

function installedOf({ sizeClasses }: SiteSeen): number {
  return sum(sizeClasses.map(({ installed }) => installed));
}

/** The sum of each step: of those that have a number there, null if none has. */
function add(lists: readonly Levels[], length: number): (number | null)[] {
  return Array.from({ length }, (_, step) => {
    const known = lists.map((list) => list[step] ?? null).filter((level) => level !== null);
    return known.length === 0 ? null : sum(known);
  });
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
