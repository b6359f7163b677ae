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

/** Most sites, and about how many bytes they may take: a site takes 1 kB, and a terminal with as many doors as it may have takes 57. */
const defaultBounds = { sites: 50_000, bytes: 200_000_000 };

/** What a site takes in memory, and further for each of its compartments, in bytes. Measured. */
const siteBytes = 1000;
const compartmentBytes = 112;

/** Creates a cache of sites within bounds. */
export function createSiteCache(sites: SiteStore, bounds: Partial<typeof defaultBounds> = {}): SiteCache {
  const { sites: sitesMax, bytes: bytesMax } = { ...defaultBounds, ...bounds };
  const cache = new Map<string, Site>();
  let bytes = 0;
  const bytesOf = (site: Site | undefined) => (site === undefined ? 0 : siteBytes + site.compartments.length * compartmentBytes);
  const remember = ({ site }: { site: Site }) => {
    const known = cache.get(site.siteId);
    // An older read may complete after a newer one.
    if ((known?.revision ?? 0) > site.revision) return;
    cache.set(site.siteId, site);
    bytes += bytesOf(site) - bytesOf(known);
    for (const [oldest, forgotten] of cache) {
      if (cache.size <= sitesMax && bytes <= bytesMax) break;
      cache.delete(oldest);
      bytes -= bytesOf(forgotten);
    }
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
    clear() {
      cache.clear();
      bytes = 0;
    },
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
