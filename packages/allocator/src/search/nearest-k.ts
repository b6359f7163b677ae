import type { DecodedBlock } from "../block/decoded-block.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { RegionProfile } from "../h3-index/index-region.ts";

/** A site that satisfies a query, with its position in the index. */
export interface Found {
  /** Great-circle distance from the origin in m. */
  readonly distanceM: number;
  readonly cell: IndexCell;
  readonly block: DecodedBlock;
  /** Its index in the block. */
  readonly index: number;
  readonly profile: RegionProfile;
}

/** Collects the k nearest sites, sorted. Uses insertion, which is faster than a heap for short lists. */
export class NearestK {
  /** Distance in m beyond which a site would not be added: the k-th distance once there are k sites, the radius before. */
  reachM: number;
  /** The sites, nearest first; equal distances in the order of site ids. */
  readonly found: Found[] = [];
  readonly #limit: number;
  readonly #radiusM: number;

  /** Collects the `limit` nearest sites within `radiusM`. */
  constructor(limit: number, radiusM: number) {
    this.#limit = limit;
    this.#radiusM = radiusM;
    this.reachM = radiusM;
  }

  /** Adds a site if it is among the nearest. */
  offer(site: Found): void {
    const { found } = this;
    if (site.distanceM > this.#radiusM) return;
    let place = found.length;
    while (place > 0 && isBefore(site, found[place - 1] as Found)) place--;
    if (place >= this.#limit) return;
    if (found.length < this.#limit) found.push(site);
    for (let index = found.length - 1; index > place; index--) found[index] = found[index - 1] as Found;
    found[place] = site;
    if (found.length === this.#limit) this.reachM = (found[found.length - 1] as Found).distanceM;
  }

  /** Removes all sites. */
  clear(): void {
    this.found.length = 0;
    this.reachM = this.#radiusM;
  }
}

function isBefore(a: Found, b: Found): boolean {
  return a.distanceM === b.distanceM ? idOf(a) < idOf(b) : a.distanceM < b.distanceM;
}

/** Compared only for sites at equal distances, because formatting ids is slow. */
function idOf({ block, index, cell }: Found): string {
  return block.siteId(index, cell.region.region);
}
