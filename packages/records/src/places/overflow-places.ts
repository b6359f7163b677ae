import type { NearestQuery, NearestSearch, SiteQuery } from "@petak/allocator";
import { parseSiteId, type Reservation } from "@petak/protocol";
import { waitingPlacesMax } from "../queue/queues.ts";
import type { HoldCandidate } from "../reservations/candidates.ts";
import type { HoldRequest, Holds } from "../reservations/reserve.ts";
import type { SiteCache } from "../sites/site-cache.ts";
import type { CandidateFinder, PlaceCall } from "./find-candidates.ts";
import { candidatesTried, searchesMax } from "./rush-limits.ts";
import { isSearch, type WantedPlace, withLimit } from "./wanted-place.ts";

/** Where places elsewhere are found and queues are joined. */
export interface OverflowSources {
  candidates: CandidateFinder;
  holds: Holds;
  nearest: NearestSearch;
  siteCache: Pick<SiteCache, "facts">;
}

/** Makes the candidate for a site of an order of sites that was fixed earlier; undefined where the site does not satisfy the query any more. */
export type ResolveSite = (siteId: string) => Promise<HoldCandidate | undefined>;

/**
 * The function that makes candidates again of the sites that a request tries. A request with an overflow policy may go beyond its own search, so that
 * neither the distance from where that search began nor the operators limit it.
 */
export function resolverFor({ again }: CandidateFinder, query: SiteQuery | NearestQuery, hasOverflow: boolean): ResolveSite {
  if (!hasOverflow || !isSearch(query)) return (siteId) => again(siteId, query);
  const { origin: _origin, radiusM: _radiusM, limit: _limit, ...anywhere } = query;
  return (siteId) => again(siteId, { ...anywhere, operatorIds: [] });
}

/** Gives a request that finds no place where it wants one the alternative that it declared in advance: a place at another site, or a place in a queue. */
export type TakeOverflow = (wanted: WantedPlace, request: HoldRequest, call: PlaceCall) => Promise<Reservation | undefined>;

/** Takes overflow places. Undefined: no other site has a place, and the request does not wait. */
export function createTakeOverflow({ candidates, holds, nearest, siteCache }: OverflowSources): TakeOverflow {
  /** The search that the overflow policy allows; undefined where it allows no other site. */
  async function searchElsewhere({ siteId, query, overflow }: WantedPlace): Promise<NearestQuery | undefined> {
    if (overflow === undefined || overflow.policy.maxDistanceM === 0) return undefined;
    if (siteId === undefined) return withLimit(overflow.search(query.origin), candidatesTried.again + 1);
    const [site] = await siteCache.facts([{ siteId, revision: 0 }]);
    if (site?.position === undefined) return undefined;
    return withLimit(overflow.search(site.position), candidatesTried.again + 1);
  }

  /** The sites at which a request waits: the one that it wants, and the nearest others that would do, full or not. */
  async function sitesToWaitAt({ siteId, query }: WantedPlace, elsewhere: NearestQuery | undefined, call: PlaceCall): Promise<string[]> {
    const siteIds = siteId === undefined ? [] : [siteId];
    const searches = siteId === undefined ? [query] : [];
    if (elsewhere !== undefined) searches.push(elsewhere);
    for (const { knownAtMs: _knownAtMs, ...search } of searches) {
      const found = await nearest({ ...search, limit: waitingPlacesMax + 1, includesFull: true }, call);
      siteIds.push(...found.map((candidate) => candidate.siteId).filter((found) => found !== call.exceptSiteId));
    }
    const [first] = siteIds;
    // A reservation waits in one region: one script gives it a place in one instant, and takes it out of the other queues.
    const region = first === undefined ? undefined : parseSiteId(first)?.region;
    return [...new Set(siteIds)].filter((candidate) => parseSiteId(candidate)?.region === region).slice(0, waitingPlacesMax);
  }

  return async (wanted, request, call) => {
    const elsewhere = await searchElsewhere(wanted);
    const resolve = resolverFor(candidates, elsewhere ?? wanted.query, wanted.overflow !== undefined);
    for (let attempt = 0; elsewhere !== undefined && attempt < searchesMax; attempt++) {
      const found = await candidates.near(elsewhere, call);
      if (found.length === 0) break;
      const outcome = await holds.take(request, found, resolve);
      if (outcome.tag !== "none") return outcome.reservation;
    }
    if (request.waiting === undefined) return undefined;
    const siteIds = await sitesToWaitAt(wanted, elsewhere, call);
    if (siteIds.length === 0) return undefined;
    const outcome = await holds.wait(request, siteIds, resolve);
    return outcome.tag === "none" ? undefined : outcome.reservation;
  };
}
