import type { Candidate, NearestQuery, SiteSearch } from "@petak/allocator";
import type { Site } from "@petak/protocol";
import type { SiteCache } from "./site-cache.ts";

/** The call that searches. A search over a long distance ends with the signal's reason when the signal aborts; a short search does not read the signal. */
export interface SearchCall {
  readonly signal: AbortSignal;
}

/** Sites that a search found. */
export interface FoundSites {
  candidates: readonly Candidate[];
  /** The facts of each candidate, in the same order. Undefined for a site that does not exist any more. */
  sites: readonly (Site | undefined)[];
}

/** The search, and the cache of sites' facts. */
export interface FindSitesDependencies {
  search: Pick<SiteSearch, "nearest" | "forget">;
  siteFacts: Pick<SiteCache, "facts">;
}

/** The most searches of one call while sites change. Sites that still change are left out of the response. */
const searchesMax = 5;

/**
 * Finds the nearest sites with their facts. Synchronous if everything is in memory.
 *
 * Blocks and facts are read from different keys, and a block in memory may be older than the facts. A candidate identifies size classes by index, which
 * is meaningless in facts of another revision: the combination would describe a site that never existed. So if a site has changed since it was found, its
 * block is read again and the search is repeated.
 */
export function findSites(dependencies: FindSitesDependencies, query: NearestQuery, call: SearchCall): FoundSites | Promise<FoundSites> {
  const candidates = dependencies.search.nearest(query, call);
  if (!(candidates instanceof Promise)) return withFacts(dependencies, query, candidates, call);
  return candidates.then((found) => withFacts(dependencies, query, found, call));
}

function withFacts(
  dependencies: FindSitesDependencies,
  query: NearestQuery,
  candidates: readonly Candidate[],
  call: SearchCall,
): FoundSites | Promise<FoundSites> {
  const sites = dependencies.siteFacts.facts(candidates);
  if (sites instanceof Promise) return sites.then((read) => ifCurrent(dependencies, query, { candidates, sites: read }, call));
  return ifCurrent(dependencies, query, { candidates, sites }, call);
}

function ifCurrent(
  dependencies: FindSitesDependencies,
  query: NearestQuery,
  found: FoundSites,
  call: SearchCall,
): FoundSites | Promise<FoundSites> {
  return isCurrent(found) ? found : searchAgain(dependencies, query, found, call);
}

async function searchAgain(
  { search, siteFacts }: FindSitesDependencies,
  query: NearestQuery,
  first: FoundSites,
  call: SearchCall,
): Promise<FoundSites> {
  let found = first;
  for (let searches = 1; searches < searchesMax && !isCurrent(found); searches++) {
    const { sites } = found;
    search.forget(found.candidates.filter((candidate, index) => !isAsFound(candidate, sites[index])));
    const candidates = await search.nearest(query, call);
    found = { candidates, sites: await siteFacts.facts(candidates) };
  }
  const { candidates, sites } = found;
  return { candidates, sites: sites.map((site, index) => (isAsFound(candidates[index] as Candidate, site) ? site : undefined)) };
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

/** The smallest fitting size class of a found site that has a free place. */
export function bestSizeClass({ classes: [best] }: Candidate, site: Site): { sizeClassId: string; free: number } {
  return { sizeClassId: site.sizeClasses[best?.index ?? 0]?.sizeClassId ?? "", free: best?.free ?? 0 };
}
