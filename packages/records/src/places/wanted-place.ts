import { indexCellOf, type NearestQuery, type Position, quantise, regionOfCell, type SiteQuery } from "@petak/allocator";
import { type OverflowPolicy, parseSiteId, type Region } from "@petak/protocol";
import { siteNotFound } from "../sites/site-not-found.ts";

/** Where a request wants a place: at one site, or at the nearest site that satisfies a query. */
export type WantedPlace = (NamedSite | NearestSite) & { overflow?: Overflow };

/** The site that a request names, and what it asks of that site. */
interface NamedSite {
  siteId: string;
  query: SiteQuery;
}

/** A search. Its `limit` is not used: a call decides itself how many sites it tries at a time. */
interface NearestSite {
  siteId?: undefined;
  query: NearestQuery;
}

/** What a request declares in advance for the case that no place is free where it wants one. */
export interface Overflow {
  policy: OverflowPolicy;
  /**
   * The search for another site, within the distance and among the operators of the policy. Called only where the policy allows another site. Its
   * `limit` is not used.
   *
   * @param origin where the search begins: the position of the named site, or the origin of the nearest one
   */
  search(origin: Position): NearestQuery;
}

/** Whether a query is a search, and not a question to one site. */
export function isSearch(query: SiteQuery | NearestQuery): query is NearestQuery {
  return "origin" in query;
}

/**
 * The region in which the response to a request is stored. It follows from the request alone, so that a repetition looks in the same region.
 *
 * @throws {PetakError} SITE_NOT_FOUND where the id of the named site is none.
 */
export function homeRegionOf({ siteId, query }: WantedPlace): Region {
  if (siteId === undefined) return regionOfCell(indexCellOf(quantise(query.origin)));
  const id = parseSiteId(siteId);
  if (id === undefined) throw siteNotFound(siteId);
  return id.region;
}

/** The same search for another number of sites. */
export function withLimit(query: NearestQuery, limit: number): NearestQuery {
  return query.limit === limit ? query : { ...query, limit };
}
