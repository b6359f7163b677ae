import { checkSite, greatCircleM, type NearestQuery, type NearestSearch, quantise, type SiteCheck, type SiteQuery } from "@petak/allocator";
import { isInService } from "@petak/lifecycle";
import { holdClass } from "../encoding/hold-classes.ts";
import { type HoldCandidate, storedCandidate } from "../reservations/candidates.ts";
import type { SiteCache } from "../sites/site-cache.ts";
import { siteNotFound } from "../sites/site-not-found.ts";
import type { SiteStore, StoredSite } from "../sites/site-store.ts";
import type { TermsBook } from "../terms/terms-book.ts";
import { intakePaused, siteNotAccepting, siteUnmet } from "./place-errors.ts";
import { isSearch } from "./wanted-place.ts";

/** The sources of candidates. */
export interface CandidateSources {
  /** The exact search for the nearest sites. */
  nearest: NearestSearch;
  sites: Pick<SiteStore, "find">;
  siteCache: Pick<SiteCache, "facts" | "remember">;
  termsBook: Pick<TermsBook, "at" | "atSite">;
}

/** The call that looks for a place. */
export interface PlaceCall {
  /** Ends a search over a long distance. */
  readonly signal: AbortSignal;
  /** A site that searches leave out. Default: none. */
  readonly exceptSiteId?: string | undefined;
}

/**
 * The number of sites that a call tries at once: first, and after others took the last place there. Results of a search are seldom older than a few ms, so the
 * nearest site nearly always still has its place, and a search for one site takes half as long as a search for three.
 */
export const candidatesTried = { first: 1, again: 3 } as const;

/** The most searches of one call while others take every place that it finds. In a rush for one place each round has a winner. */
export const searchesMax = 25;

/** Finds the sites at which a hold may be taken. */
export interface CandidateFinder {
  /** The nearest sites that satisfy a query, nearest first, without the one that the call excepts. */
  near(query: NearestQuery, call: PlaceCall): Promise<HoldCandidate[]>;
  /**
   * The named site.
   *
   * @throws {PetakError} SITE_NOT_FOUND, SITE_NOT_ACCEPTING, or the error for the requirement of the query that the site does not meet.
   */
  at(siteId: string, query: SiteQuery): Promise<HoldCandidate>;
  /** A site that an earlier search found. Undefined if it does not satisfy the query any more. */
  again(siteId: string, query: SiteQuery | NearestQuery): Promise<HoldCandidate | undefined>;
}

/** Finds candidates in the index and in the store. */
export function createCandidateFinder({ nearest, sites, siteCache, termsBook }: CandidateSources): CandidateFinder {
  async function candidateOf(stored: StoredSite, { classes }: SiteCheck, { isHard = false }: SiteQuery): Promise<HoldCandidate> {
    return storedCandidate(
      stored,
      classes.map((index) => holdClass(stored.site, index, isHard)),
      await termsBook.atSite(stored.site),
    );
  }

  return {
    async near(query, call) {
      const found = await nearest(query, call);
      const wanted = call.exceptSiteId === undefined ? found : found.filter(({ siteId }) => siteId !== call.exceptSiteId);
      const facts = await siteCache.facts(wanted);
      const terms = await termsBook.at(facts);
      return wanted.flatMap((candidate, place) => {
        const site = facts[place];
        if (site === undefined) return [];
        const { siteId, region, siteNumber, revision, cell, offset } = candidate;
        return {
          siteId,
          region,
          siteNumber,
          operatorId: site.operatorId,
          ...(terms[place] && { terms: terms[place] }),
          revision,
          cell,
          offset,
          classes: candidate.classes.map(({ index }) => holdClass(site, index, query.isHard === true)),
        };
      });
    },
    async at(siteId, query) {
      const stored = await sites.find(siteId);
      if (stored === undefined || stored.site.isTest !== query.isTest) throw siteNotFound(siteId);
      siteCache.remember(stored);
      if (!stored.isOffered) throw isInService(stored.site) ? intakePaused(stored.site) : siteNotAccepting(siteId);
      const check = checkSite(query, stored.site, stored.observation);
      if (check.reason !== undefined) throw siteUnmet(siteId, check.reason, check);
      return await candidateOf(stored, check, query);
    },
    async again(siteId, query) {
      const stored = await sites.find(siteId);
      if (stored?.site.position === undefined) return undefined;
      const check = checkSite(query, stored.site, stored.observation);
      const isWithin = !isSearch(query) || greatCircleM(quantise(query.origin), quantise(stored.site.position)) <= query.radiusM;
      return check.reason === undefined && isWithin ? await candidateOf(stored, check, query) : undefined;
    },
  };
}
