import type { Candidate, NearestQuery } from "@petak/allocator";
import type { Site } from "@petak/protocol";
import type { Allocator, SiteCache } from "@petak/records";

/** Sites that a search found. */
export interface FoundSites {
  candidates: readonly Candidate[];
  /** The facts by which each was found, in the same order; undefined where the site is gone. */
  sites: readonly (Site | undefined)[];
}

/** Who waits for a search. */
type Waiting = Parameters<Allocator["nearest"]>[1];

/** How often one call searches where sites change while it does. What still changes then is left out of its answer. */
const searchesMax = 5;

/**
 * Makes what reads the facts of candidates: at once where all are in the cache.
 *
 * Block and facts are separate keys, and a block in memory may be older than the facts. A candidate names size classes by their index, which means nothing
 * in the facts of another revision: an option made of both would be of no site that ever was. So where a site has changed since it was found, its block
 * is read anew and the search is made again.
 */
export function createFoundSites({ allocator, siteCache }: { allocator: Allocator; siteCache: SiteCache }) {
  function ifCurrent(query: NearestQuery, found: FoundSites, waiting: Waiting): FoundSites | Promise<FoundSites> {
    return isCurrent(found) ? found : searchAgain(query, found, waiting);
  }

  async function searchAgain(query: NearestQuery, first: FoundSites, waiting: Waiting): Promise<FoundSites> {
    let found = first;
    for (let search = 1; search < searchesMax && !isCurrent(found); search++) {
      const { sites } = found;
      allocator.forget(found.candidates.filter((candidate, index) => !isAsFound(candidate, sites[index])));
      const candidates = await allocator.nearest(query, waiting);
      found = { candidates, sites: await siteCache.facts(candidates) };
    }
    const { candidates, sites } = found;
    return { candidates, sites: sites.map((site, index) => (isAsFound(candidates[index] as Candidate, site) ? site : undefined)) };
  }

  return (query: NearestQuery, candidates: readonly Candidate[], waiting: Waiting): FoundSites | Promise<FoundSites> => {
    const sites = siteCache.facts(candidates);
    if (sites instanceof Promise) return sites.then((read) => ifCurrent(query, { candidates, sites: read }, waiting));
    return ifCurrent(query, { candidates, sites }, waiting);
  };
}

function isCurrent({ candidates, sites }: FoundSites): boolean {
  for (let index = 0; index < candidates.length; index++) {
    if (!isAsFound(candidates[index] as Candidate, sites[index])) return false;
  }
  return true;
}

function isAsFound({ revision }: Candidate, site: Site | undefined): boolean {
  return site === undefined || site.revision === revision;
}
