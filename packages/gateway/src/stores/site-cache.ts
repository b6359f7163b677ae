import type { SiteStore, StoredSite } from "@petak/allocator";
import type { Site } from "@petak/protocol";

/** Facts of sites, by id and revision: the index says which revision is in force, so that a cached fact is never a stale one. */
export interface SiteCache {
  /** The facts of each site at the revision wanted or a later one, in the same order; undefined where the site is gone. */
  facts(wanted: readonly { siteId: string; revision: number }[]): Promise<(Site | undefined)[]>;
  /** Remembers a site that was read anyway. */
  remember(stored: StoredSite): void;
  /** Forgets all. */
  clear(): void;
}

/** Keeps at most `max` sites: about 1 kB each. */
export function createSiteCache(sites: SiteStore, max = 50_000): SiteCache {
  const cache = new Map<string, Site>();
  const remember = ({ site }: StoredSite) => {
    if (cache.size >= max && !cache.has(site.siteId)) {
      const oldest = cache.keys().next().value;
      if (oldest !== undefined) cache.delete(oldest);
    }
    cache.set(site.siteId, site);
  };
  const cached = ({ siteId, revision }: { siteId: string; revision: number }) => {
    const site = cache.get(siteId);
    return site !== undefined && site.revision >= revision ? site : undefined;
  };
  return {
    remember,
    clear: () => cache.clear(),
    async facts(wanted) {
      const missing = wanted.filter((want) => cached(want) === undefined);
      if (missing.length > 0) {
        for (const stored of await sites.findAll(missing.map(({ siteId }) => siteId))) {
          if (stored !== undefined) remember(stored);
        }
      }
      return wanted.map(cached);
    },
  };
}
