import { indexCellOf, type NearestQuery, type Position, quantise, regionOfCell, type SiteQuery } from "@petak/allocator";
import { type OverflowPolicy, parseSiteId, type Region } from "@petak/protocol";
import { siteNotFound } from "../sites/site-not-found.ts";

/** The place that a request wants: at a named site, or at the nearest site that satisfies a query. */
export type WantedPlace = (NamedSite | NearestSite) & { overflow?: Overflow };

/** The site that a request names, and the requirements on it. */
interface NamedSite {
  siteId: string;
  query: SiteQuery;
}

/** A search. Its `limit` is not used: the call decides how many sites it tries at a time. */
interface NearestSite {
  siteId?: undefined;
  query: NearestQuery;
}

/** A request's overflow policy. */
export interface Overflow {
  policy: OverflowPolicy;
  /**
   * The search for another site, within the distance and among the operators of the policy. Called only if the policy allows another site. Its `limit` is not
   * used.
   *
   * @param origin the position of the named site, or the origin of the request's search
   */
  search(origin: Position): NearestQuery;
}

/** Whether a query is a search, not the requirements on a named site. */
export function isSearch(query: SiteQuery | NearestQuery): query is NearestQuery {
  return "origin" in query;
}

/**
 * The region in which the response to a request is stored. It follows from the request alone, so that a repeated request looks in the same region.
 *
 * @throws {PetakError} SITE_NOT_FOUND if the id of the named site is invalid.
 */
export function homeRegionOf({ siteId, query }: WantedPlace): Region {
  if (siteId === undefined) return regionOfCell(indexCellOf(quantise(query.origin)));
  const id = parseSiteId(siteId);
  if (id === undefined) throw siteNotFound(siteId);
  return id.region;
}

/** A query with another limit. */
export function withLimit(query: NearestQuery, limit: number): NearestQuery {
  return query.limit === limit ? query : { ...query, limit };
}
