import type { Region } from "@petak/protocol";
import { decodeSizeProfile, fittingMask, type SizeClassFacts, volumeOrder } from "../block/size-profile.ts";
import { type CellBound, cellBound, leastFromPointM } from "../geo/cell-bound.ts";
import { regionCell } from "../geo/region.ts";
import type { UnitPoint } from "../geo/unit-point.ts";
import { decodeOpeningTimes, type OpeningTimes } from "../hours/opening-times.ts";
import type { NearestQuery } from "../query/query.ts";
import { Area } from "./area.ts";
import { RegionList } from "./region-list.ts";

/** A size profile of a region, with a memo of the last query's result. */
export class RegionProfile {
  readonly classes: readonly SizeClassFacts[];
  /** Indexes of its size classes, smallest volume first. */
  readonly order: readonly number[];
  #query: NearestQuery | undefined;
  #fitting = 0;

  constructor(classes: readonly SizeClassFacts[]) {
    this.classes = classes;
    this.order = volumeOrder(classes);
  }

  /**
   * The size classes that satisfy a query: one bit each, the lowest for the first class. Memoised, since a scan asks for many sites in a
   * row.
   */
  fitting(query: NearestQuery): number {
    if (this.#query !== query) {
      this.#fitting = fittingMask(query.parcel, this.classes, query.needs);
      this.#query = query;
    }
    return this.#fitting;
  }
}

/** The lists of a region to which its records refer by number, as far as they have been read. */
export class RegionLists {
  readonly profiles = new RegionList((bytes) => new RegionProfile(decodeSizeProfile(bytes)));
  readonly openingTimes: RegionList<OpeningTimes> = new RegionList(decodeOpeningTimes);

  /** Whether they were read, and so long ago that they have to be read again. */
  areOutdated(nowMs: number): boolean {
    return [this.profiles, this.openingTimes].some((list) => list.last >= 0 && !list.isUsable(nowMs));
  }

  /** Whether any size profile has a class that satisfies a query. */
  mayFit(query: NearestQuery): boolean {
    return this.profiles.some((profile) => profile.fitting(query) !== 0);
  }
}

/** The state kept for a region. There is one object for each region. */
export class IndexRegion {
  readonly region: Region;
  /** Replaced by empty lists when the server may have lost entries and given their numbers away. */
  lists = new RegionLists();
  #occupied: Buffer | undefined;
  #root: Area | undefined;
  #bound: CellBound | undefined;

  constructor(region: Region) {
    this.region = region;
  }

  /** The region's area tree for a bitmap of occupied cells; rebuilt when the bitmap has changed. */
  areas(occupied: Buffer): Area {
    if (this.#root === undefined || this.#occupied === undefined || !isSame(this.#occupied, occupied)) {
      this.#root = Area.ofRegion(this.region, occupied);
    }
    this.#occupied = occupied;
    return this.#root;
  }

  /** Lower bound, in m, of the distance from a point to any site in the region. */
  leastM(from: UnitPoint): number {
    this.#bound ??= cellBound(regionCell(this.region));
    return leastFromPointM(from, this.#bound);
  }
}

function isSame(a: Buffer, b: Buffer): boolean {
  return a === b || a.equals(b);
}
