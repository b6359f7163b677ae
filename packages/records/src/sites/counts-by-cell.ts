import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { decodeSiteCounts, type SiteCounts } from "./site-counts.ts";
import { cellOf, type FiledSite } from "./site-record.ts";
import { siteNumberBytes } from "./site-store.ts";

/** Where the counts of a site are: some 60 B, for whoever reads those of many sites again and again. */
export interface SitePlace {
  readonly siteNumber: number;
  readonly cell: string;
}

/** The counts of many sites. */
export interface CountsByCell {
  /**
   * The counts of sites of one region, in the same order, by one command for each index cell. Undefined: the site is not there any more. Counts are listed by the
   * index of a size class, and the facts of a site may have changed since its place was taken: if the greatest sequence of the region (`ListedSites.lasts`) is
   * the same before the facts were read and after the counts were, they belong together.
   */
  read(region: Region, places: readonly SitePlace[]): Promise<(SiteCounts | undefined)[]>;
}

/** Cells that are read together, so that calls come between. */
const cellsTogether = 200;

/** The place of a site that the store returned. */
export function sitePlaceOf(siteIds: Pick<SiteIds, "require">, filed: FiledSite): SitePlace {
  return { siteNumber: siteIds.require(filed.site.siteId).siteNumber, cell: cellOf(filed) };
}

/** Creates the reader over the store. */
export function createCountsByCell(redis: RedisConnection, keys: Keys): CountsByCell {
  return {
    async read(region, places) {
      const byCell = Map.groupBy(places.keys(), (index) => (places[index] as SitePlace).cell);
      const cells = [...byCell];
      const found: (SiteCounts | undefined)[] = new Array(places.length).fill(undefined);
      for (let first = 0; first < cells.length; first += cellsTogether) {
        await Promise.all(
          cells.slice(first, first + cellsTogether).map(async ([cell, indices]) => {
            const numbers = indices.map((index) => siteNumberBytes((places[index] as SitePlace).siteNumber));
            const counts = await redis.hmgetBuffer(keys.siteCounts(region, cell), ...numbers);
            for (const [at, bytes] of counts.entries()) {
              if (bytes !== null) found[indices[at] as number] = decodeSiteCounts(bytes);
            }
          }),
        );
      }
      return found;
    },
  };
}
