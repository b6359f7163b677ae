import type { Site } from "@petak/protocol";
import type { SiteStore, StoredSite } from "./site-store.ts";

/** A site and the least revision of its facts that is wanted: the one in the index. */
export interface WantedSite {
  siteId: string;
  revision: number;
}

/** A cache of sites' facts. Callers pass the revision that the index has, so stale facts are never returned. */
export interface SiteCache {
  /**
   * The facts of each site at the wanted revision or a later one, in the same order. Undefined for a site that does not exist any more. Synchronous if all
   * are in the cache.
   */
  facts(wanted: readonly WantedSite[]): (Site | undefined)[] | Promise<(Site | undefined)[]>;
  /** Adds a site that the caller has read. */
  remember(stored: Pick<StoredSite, "site">): void;
  /** Empties the cache. */
  clear(): void;
}

/** Creates a cache of at most `max` sites. Each takes about 1 kB. */
export function createSiteCache(sites: SiteStore, max = 50_000): SiteCache {
  const cache = new Map<string, Site>();
  const remember = ({ site }: { site: Site }) => {
    // An older read may complete after a newer one.
    if ((cache.get(site.siteId)?.revision ?? 0) > site.revision) return;
    if (cache.size >= max && !cache.has(site.siteId)) {
      const oldest = cache.keys().next().value;
      if (oldest !== undefined) cache.delete(oldest);
    }
    cache.set(site.siteId, site);
  };
  const ifRecent = (site: Site | undefined, { revision }: WantedSite) =>
    site !== undefined && site.revision >= revision ? site : undefined;
  const cached = (want: WantedSite) => ifRecent(cache.get(want.siteId), want);

  async function readFacts(wanted: readonly WantedSite[]): Promise<(Site | undefined)[]> {
    const found = wanted.map(cached);
    const missing = [...found.keys()].filter((index) => found[index] === undefined);
    const read = await sites.facts(missing.map((index) => (wanted[index] as WantedSite).siteId));
    for (const [place, index] of missing.entries()) {
      const site = read[place];
      if (site !== undefined) remember({ site });
      // Not from the cache, which may have evicted the site or been cleared meanwhile.
      found[index] = ifRecent(site, wanted[index] as WantedSite);
    }
    return found;
  }

  return {
    remember,
    clear: () => cache.clear(),
    facts(wanted) {
      const found: Site[] = [];
      for (const want of wanted) {
        const site = cached(want);
        if (site === undefined) return readFacts(wanted);
        found.push(site);
      }
      return found;
    },
  };
}
