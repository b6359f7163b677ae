import type { Site } from "@petak/protocol";
import type { SiteStore, StoredSite } from "./site-store.ts";

/** A site and the revision of its facts that the index shows. */
export interface WantedSite {
  siteId: string;
  revision: number;
}

/** Facts of sites, by id and revision: the index says which revision is in force, so that a cached fact is never a stale one. */
export interface SiteCache {
  /**
   * The facts of each site at the revision wanted or a later one, in the same order; undefined where the site is gone. At once where all are
   * in the cache.
   */
  facts(wanted: readonly WantedSite[]): (Site | undefined)[] | Promise<(Site | undefined)[]>;
  /** Remembers a site that was read anyway. */
  remember(stored: Pick<StoredSite, "site">): void;
  /** Forgets all. */
  clear(): void;
}

/** Keeps at most `max` sites: about 1 kB each. */
export function createSiteCache(sites: SiteStore, max = 50_000): SiteCache {
  const cache = new Map<string, Site>();
  const remember = ({ site }: { site: Site }) => {
    // A read that began earlier may end later.
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
      // Not from the cache: by now it may have dropped what it held, or have been cleared.
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
