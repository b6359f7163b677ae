import type { BenchContext, BenchServer } from "../bench-context.ts";
import { seed } from "../bench-context.ts";
import { cityNetwork } from "../network/city.ts";
import type { Network } from "../network/network.ts";
import { createProgress } from "../progress.ts";
import { fillingOrder, holdPlaces } from "./hold-places.ts";
import { loadSites } from "./load-sites.ts";

/** A city in Redis whose sites are filled one after another. */
export interface FilledCity {
  network: Network;
  siteIds: readonly string[];
  isFull(index: number): boolean;
  /** The index of a site. */
  indexOf(siteId: string): number;
  /** Holds the last place of further sites until this share of all sites is full. Returns the indexes of the sites that became full. */
  fillTo(share: number): Promise<readonly number[]>;
}

/** Loads a city with one place of the requested size at each site, and optionally more at sites that must never become full. */
export async function loadCity(
  { say }: BenchContext,
  { records }: BenchServer,
  count: number,
  largePlaces: (isEverFull: boolean) => number = () => 1,
  fullAtMost = 1,
): Promise<FilledCity> {
  const network = cityNetwork(count, seed);
  const order = fillingOrder(network, seed + 1);
  const everFull = new Set(order.slice(0, Math.round(count * fullAtMost)));
  const siteIds = await loadSites(records, network, {
    from: 0,
    to: count,
    largePlaces: (index) => largePlaces(everFull.has(index)),
    onLoaded: createProgress(say, "Loading sites", count),
  });
  const indexes = new Map(siteIds.map((siteId, index) => [siteId, index]));
  const full = new Set<number>();
  return {
    network,
    siteIds,
    isFull: (index) => full.has(index),
    indexOf(siteId) {
      const index = indexes.get(siteId);
      if (index === undefined) throw new Error(`unknown site ${siteId}`);
      return index;
    },
    async fillTo(share) {
      const next = order.slice(full.size, Math.round(count * Math.min(share, fullAtMost)));
      await holdPlaces(records, network, siteIds, next, createProgress(say, "Holding places", next.length));
      for (const index of next) full.add(index);
      return next;
    },
  };
}
