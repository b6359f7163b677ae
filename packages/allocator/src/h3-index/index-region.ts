import type { Region } from "@petak/protocol";
import { fittingMask, type SizeClassFacts, volumeOrder } from "../block/size-profile.ts";
import { type CellBound, cellBound, leastFromPointM } from "../geo/cell-bound.ts";
import { regionCell } from "../geo/region.ts";
import type { UnitPoint } from "../geo/unit-point.ts";
import type { NearestQuery } from "../query/query.ts";
import { Area } from "./area.ts";

/** A size profile of a region, and what the query that was asked last makes of it. */
export class RegionProfile {
  readonly classes: readonly SizeClassFacts[];
  /** The indexes of its classes, smallest volume first. */
  readonly order: readonly number[];
  #query: NearestQuery | undefined;
  #fitting = 0;

  constructor(classes: readonly SizeClassFacts[]) {
    this.classes = classes;
    this.order = volumeOrder(classes);
  }

  /** The classes that would do for a query: a bit each, the lowest for the first class. Many sites in a row ask it for one query. */
  fitting(query: NearestQuery): number {
    if (this.#query !== query) {
      this.#fitting = fittingMask(query.parcel, this.classes, query.needs);
      this.#query = query;
    }
    return this.#fitting;
  }
}

/** What is known of a region of the index. There is one of each. */
export class IndexRegion {
  readonly region: Region;
  /** Its size profiles as far as they were read. */
  profiles: readonly RegionProfile[] = [];
  #occupied: Buffer | undefined;
  #root: Area | undefined;
  #bound: CellBound | undefined;

  constructor(region: Region) {
    this.region = region;
  }

  /** The region as areas that have sites in them, by the bitmap of its occupied cells: made anew where that has changed. */
  areas(occupied: Buffer): Area {
    if (this.#root === undefined || this.#occupied === undefined || !isSame(this.#occupied, occupied)) {
      this.#root = Area.ofRegion(this.region, occupied);
    }
    this.#occupied = occupied;
    return this.#root;
  }

  /** The least distance in m from a point at which anything in it could lie. */
  leastM(from: UnitPoint): number {
    this.#bound ??= cellBound(regionCell(this.region));
    return leastFromPointM(from, this.#bound);
  }

  /** Whether it has a size profile of which some class would do for a query. */
  mayFit(query: NearestQuery): boolean {
    return this.profiles.some((profile) => profile.fitting(query) !== 0);
  }
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a === b || a.equals(b);
}
