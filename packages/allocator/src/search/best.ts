import type { DecodedBlock } from "../block/decoded-block.ts";
import type { IndexCell } from "../h3-index/index-cell.ts";
import type { RegionProfile } from "../h3-index/index-region.ts";

/** A site that satisfies a query, where the index has it. */
export interface Found {
  /** Great-circle distance from the origin in m. */
  readonly distanceM: number;
  readonly cell: IndexCell;
  readonly block: DecodedBlock;
  /** Its place in the block. */
  readonly index: number;
  readonly profile: RegionProfile;
}

/** The nearest sites seen so far, in order. Short lists: an insertion is cheaper than a heap. */
export class Best {
  /** Distance in m beyond which a further site would not enter: the radius while there is room. */
  reachM: number;
  /** The best, nearest first; equal distances in the order of the site ids. */
  readonly found: Found[] = [];
  readonly #limit: number;
  readonly #radiusM: number;

  /** Collects the `limit` nearest sites within `radiusM`. */
  constructor(limit: number, radiusM: number) {
    this.#limit = limit;
    this.#radiusM = radiusM;
    this.reachM = radiusM;
  }

  /** Takes a site in, if it is among the best. */
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

  /** Forgets all that were taken in. */
  clear(): void {
    this.found.length = 0;
    this.reachM = this.#radiusM;
  }
}

function isBefore(a: Found, b: Found): boolean {
  return a.distanceM === b.distanceM ? idOf(a) < idOf(b) : a.distanceM < b.distanceM;
}

/** Only sites at one distance have to be told apart by their ids, which take their time to write. */
function idOf({ block, index, cell }: Found): string {
  return block.siteId(index, cell.region.region);
}
