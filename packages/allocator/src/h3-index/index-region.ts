import type { Region } from "@petak/protocol";
import { fittingMask, type SizeClassFacts, volumeOrder } from "../block/size-profile.ts";
import { type CellBound, cellBound, leastFromPointM } from "../geo/cell-bound.ts";
import { regionCell } from "../geo/region.ts";
import type { UnitPoint } from "../geo/unit-point.ts";
import type { OpeningTimes } from "../hours/opening-times.ts";
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

/**
 * The lists of a region to which its records refer by index, as far as they were read. They are only ever appended to, so an index never changes its
 * meaning and replies may be merged in any order.
 */
export class RegionLists {
  readonly profiles: RegionProfile[] = [];
  readonly openingTimes: OpeningTimes[] = [];

  /** Whether a size profile has a class that would do for a query. */
  mayFit(query: NearestQuery): boolean {
    return this.profiles.some((profile) => profile.fitting(query) !== 0);
  }
}

/** What is known of a region of the index. There is one of each. */
export class IndexRegion {
  readonly region: Region;
  /** Replaced by empty ones when the server may have lost items and appended others in their place. */
  lists = new RegionLists();
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
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a === b || a.equals(b);
}
