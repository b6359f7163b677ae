import type { Records } from "@petak/records";
import { concurrently } from "../concurrently.ts";
import { type Network, siteOf } from "../network/network.ts";

/** Concurrent writes: enough to fill pipelines. */
const atOnce = 200;

/** The part of a network to load. */
export interface LoadedRange {
  from: number;
  to: number;
  /** Places of the requested size at a site. */
  largePlaces(index: number): number;
  onLoaded?(count: number): void;
}

/** Puts the sites [from, to) of a network. Returns the site ids by index. */
export async function loadSites(records: Records, network: Network, range: LoadedRange): Promise<string[]> {
  const { from, to, largePlaces, onLoaded } = range;
  const siteIds: string[] = new Array(to - from);
  let loaded = 0;
  await concurrently(to - from, atOnce, async (offset) => {
    const index = from + offset;
    const { siteId } = await records.sites.put(siteOf(network, index, largePlaces(index)), 0);
    siteIds[offset] = siteId;
    loaded += 1;
    onLoaded?.(loaded);
  });
  return siteIds;
}
