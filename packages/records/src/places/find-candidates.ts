import { checkSite, greatCircleM, type NearestQuery, type NearestSearch, quantise, type SiteCheck, type SiteQuery } from "@petak/allocator";
import { type HoldCandidate, holdClass, storedCandidate } from "../reservations/candidates.ts";
import type { SiteCache } from "../sites/site-cache.ts";
import { siteNotFound } from "../sites/site-not-found.ts";
import type { SiteStore, StoredSite } from "../sites/site-store.ts";
import type { TermsBook } from "../terms/terms-book.ts";
import { siteNotAccepting, siteUnmet } from "./unmet-site.ts";
import { isSearch } from "./wanted-place.ts";

/** Where sites, their facts and their terms are found. */
export interface CandidateSources {
  /** The exact search for the nearest sites. */
  nearest: NearestSearch;
  sites: Pick<SiteStore, "find">;
  siteCache: Pick<SiteCache, "facts" | "remember">;
  termsBook: Pick<TermsBook, "at" | "atSite">;
}

/** The call for which places are looked for. */
export interface PlaceCall {
  /** Ends a search that goes far. */
  readonly signal: AbortSignal;
  /** A site that a search passes over. Default: none. */
  readonly exceptSiteId?: string | undefined;
}

/** Finds the sites at which a hold may be taken. */
export interface CandidateFinder {
  /** The nearest sites that satisfy a query, nearest first, but for the one that the call excepts. */
  near(query: NearestQuery, call: PlaceCall): Promise<HoldCandidate[]>;
  /**
   * The named site.
   *
   * @throws {PetakError} SITE_NOT_FOUND, SITE_NOT_ACCEPTING, and the reason for which the site does not satisfy the query.
   */
  at(siteId: string, query: SiteQuery): Promise<HoldCandidate>;
  /** A site that an earlier search found; undefined where it does not satisfy the query any more. */
  again(siteId: string, query: SiteQuery | NearestQuery): Promise<HoldCandidate | undefined>;
}

/** Finds candidates by the index, and by what is stored of sites. */
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
      if (!stored.isOffered) throw siteNotAccepting(siteId);
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
