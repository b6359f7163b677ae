import type { Site } from "@petak/protocol";
import type { SiteStore } from "@petak/records";

/** Sites read at once when the facts are loaded. */
const batch = 500;

/** The facts of all sites in memory, as the gateway caches those it has read: a reservation needs the operator of its site. */
export async function readSiteFacts(sites: SiteStore, siteIds: readonly string[]): Promise<ReadonlyMap<string, Site>> {
  const facts = new Map<string, Site>();
  for (let from = 0; from < siteIds.length; from += batch) {
    for (const stored of await sites.findAll(siteIds.slice(from, from + batch))) {
      if (stored !== undefined) facts.set(stored.site.siteId, stored.site);
    }
  }
  return facts;
}
