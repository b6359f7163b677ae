import type { NearestQuery, NearestSearch, SiteQuery } from "@petak/allocator";
import { parseSiteId } from "@petak/protocol";
import { waitingPlacesMax } from "../queue/queues.ts";
import type { HoldCandidate } from "../reservations/candidates.ts";
import type { HoldOutcome, HoldRequest, Holds } from "../reservations/reserve.ts";
import type { SiteCache } from "../sites/site-cache.ts";
import { type CandidateFinder, candidatesTried, type PlaceCall, searchesMax } from "./find-candidates.ts";
import { isSearch, type WantedPlace, withLimit } from "./wanted-place.ts";

/** The sources of overflow places. */
export interface OverflowSources {
  candidates: CandidateFinder;
  holds: Holds;
  nearest: NearestSearch;
  siteCache: Pick<SiteCache, "facts">;
}

/** Makes the candidate for a site of a stored plan. Undefined if the site does not satisfy the query any more. */
export type ResolveSite = (siteId: string) => Promise<HoldCandidate | undefined>;

/**
 * The function that makes candidates for the sites of a request's stored plan. With an overflow policy, the plan may contain sites beyond the request's own search,
 * so neither the distance from its origin nor its operators are checked.
 */
export function resolverFor({ again }: CandidateFinder, query: SiteQuery | NearestQuery, hasOverflow: boolean): ResolveSite {
  if (!hasOverflow || !isSearch(query)) return (siteId) => again(siteId, query);
  const { origin: _origin, radiusM: _radiusM, limit: _limit, ...anywhere } = query;
  return (siteId) => again(siteId, { ...anywhere, operatorIds: [] });
}

/** Takes the alternative that a request declared in its overflow policy: a place at another site, or a place in a queue. `none`: it gets neither. */
export type TakeOverflow = (wanted: WantedPlace, request: HoldRequest, call: PlaceCall) => Promise<HoldOutcome>;

/** How many sites a search tries after the participant's share was used at all that were found before. */
const passingOver = 32;

/** Creates the function that takes overflow places. */
export function createTakeOverflow({ candidates, holds, nearest, siteCache }: OverflowSources): TakeOverflow {
  /** The search that the overflow policy allows. Undefined if it allows no other site. */
  async function searchElsewhere({ siteId, query, overflow }: WantedPlace): Promise<NearestQuery | undefined> {
    if (overflow === undefined || overflow.policy.maxDistanceM === 0) return undefined;
    if (siteId === undefined) return withLimit(overflow.search(query.origin), candidatesTried.again + 1);
    const [site] = await siteCache.facts([{ siteId, revision: 0 }]);
    if (site?.position === undefined) return undefined;
    return withLimit(overflow.search(site.position), candidatesTried.again + 1);
  }

  /** The sites at which a request is queued: the wanted one, and the nearest others that satisfy the query, full or not. */
  async function sitesToQueueAt({ siteId, query }: WantedPlace, elsewhere: NearestQuery | undefined, call: PlaceCall): Promise<string[]> {
    const siteIds = siteId === undefined ? [] : [siteId];
    const searches = siteId === undefined ? [query] : [];
    if (elsewhere !== undefined) searches.push(elsewhere);
    for (const { knownAtMs: _knownAtMs, ...search } of searches) {
      const found = await nearest({ ...search, limit: waitingPlacesMax + 1, includesFull: true }, call);
      siteIds.push(...found.map((candidate) => candidate.siteId).filter((found) => found !== call.exceptSiteId));
    }
    const [first] = siteIds;
    // All in one region: one script must give the reservation a place and remove it from the other queues atomically.
    const region = first === undefined ? undefined : parseSiteId(first)?.region;
    return [...new Set(siteIds)].filter((candidate) => parseSiteId(candidate)?.region === region).slice(0, waitingPlacesMax);
  }

  return async (wanted, request, call) => {
    const elsewhere = await searchElsewhere(wanted);
    const resolve = resolverFor(candidates, elsewhere ?? wanted.query, wanted.overflow !== undefined);
    let last: HoldOutcome = { tag: "none" };
    for (let attempt = 0; elsewhere !== undefined && attempt < searchesMax; attempt++) {
      const isPassing = last.exhaustion !== undefined;
      const found = await candidates.near(isPassing ? withLimit(elsewhere, passingOver) : elsewhere, call);
      if (found.length === 0) break;
      const outcome = await holds.take(request, found, resolve);
      if (outcome.tag !== "none") return outcome;
      last = outcome;
      if (isPassing) break;
    }
    if (request.waiting === undefined) return last;
    const siteIds = await sitesToQueueAt(wanted, elsewhere, call);
    return siteIds.length === 0 ? last : await holds.wait(request, siteIds, resolve);
  };
}
