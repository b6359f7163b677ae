import { create } from "@bufbuild/protobuf";
import {
  checkSite,
  greatCircleM,
  indexCellOf,
  type NearestQuery,
  quantise,
  regionOfCell,
  type SiteCheck,
  type SiteQuery,
} from "@petak/allocator";
import { overflowFallbackMetadata } from "@petak/lifecycle";
import { type NearestPlace, NearestPlaceSchema, PetakError, parseSiteId, type Reservation, type ReserveRequest } from "@petak/protocol";
import type { TermsBook } from "@petak/records";
import {
  type Allocator,
  type HoldCandidate,
  type HoldOutcome,
  type HoldRequest,
  holdClass,
  type SiteCache,
  type StoredSite,
  siteNotFound,
  storedCandidate,
  waitingPlacesMax,
} from "@petak/records";
import { namedSiteQuery, reserveNearestQuery } from "../search/nearest-query.ts";
import { siteNotAccepting, siteUnmet } from "./named-site.ts";

/** What taking a place needs. */
export interface TakePlaceDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  termsBook: TermsBook;
}

/** What is different from request to request. */
export interface TakeOptions {
  isTest: boolean;
  nowMs: number;
  signal: AbortSignal;
  /** A site that will not do, where the nearest is looked for. */
  exceptSiteId?: string | undefined;
}

/** Takes places as requests ask for them: at the site that one names, or at the nearest of what fits. */
export interface TakePlace {
  /**
   * Holds a place; where none is free, as the overflow policy of the request says, at another site, or waits for one. Gives the reservation that the
   * same request got before, where it did.
   *
   * @throws {PetakError} NO_PLACE_FREE, CONFLICT in a rush that this call lost each time, and what is wrong with a site that was named.
   */
  take(request: ReserveRequest, hold: HoldRequest, options: TakeOptions): Promise<Reservation>;
  /** Gives the reservation that the same request got before; undefined where it got none. */
  find(request: ReserveRequest, hold: HoldRequest, options: TakeOptions): Promise<Reservation | undefined>;
}

/**
 * Sites that are tried in one go, at first and once others took the last place there. What a search showed is seldom older than a few ms, so that the
 * nearest still has its place nearly always, and a search for one takes half as long as a search for three.
 */
const candidatesTried = { first: 1, again: 3 } as const;

/** How often a named site is looked at anew where it changed before the place could be taken. */
const maxAttempts = 5;

/** How often a search starts anew when others took all that it had shown: under a rush for one place, each round somebody wins. */
const maxSearches = 25;

/** Makes what takes places. */
export function createTakePlace({ allocator, siteCache, termsBook }: TakePlaceDependencies): TakePlace {
  /** Candidates for a hold: the sites near a point. */
  async function candidatesNear(query: NearestQuery, { signal, exceptSiteId }: TakeOptions): Promise<HoldCandidate[]> {
    const found = await allocator.nearest(query, { signal });
    const candidates = exceptSiteId === undefined ? found : found.filter(({ siteId }) => siteId !== exceptSiteId);
    const sites = await siteCache.facts(candidates);
    const terms = await termsBook.at(sites);
    return candidates.flatMap((candidate, index) => {
      const site = sites[index];
      if (site === undefined) return [];
      const { siteId, region, siteNumber, revision, cell, offset } = candidate;
      return {
        siteId,
        region,
        siteNumber,
        operatorId: site.operatorId,
        termsNumber: terms[index]?.termsNumber ?? 0,
        revision,
        cell,
        offset,
        classes: candidate.classes.map((sizeClass) => holdClass(site, sizeClass.index, query.isHard === true)),
      };
    });
  }

  /** The candidate for a named site. */
  async function candidateAt(siteId: string, query: SiteQuery): Promise<HoldCandidate> {
    const stored = await allocator.sites.find(siteId);
    if (stored === undefined || stored.site.isTest !== query.isTest) throw siteNotFound(siteId);
    siteCache.remember(stored);
    if (!stored.isOffered) throw siteNotAccepting(siteId);
    const check = checkSite(query, stored.site, stored.observation);
    if (check.reason !== undefined) throw siteUnmet(siteId, check.reason, check);
    return await holdCandidate(stored, check, query);
  }

  /** The candidate for a site that an earlier search showed, undefined where it would not show it any more. */
  async function candidateAgain(siteId: string, query: SiteQuery | NearestQuery): Promise<HoldCandidate | undefined> {
    const stored = await allocator.sites.find(siteId);
    if (stored?.site.position === undefined) return undefined;
    const check = checkSite(query, stored.site, stored.observation);
    const isWithin = !("origin" in query) || greatCircleM(quantise(query.origin), quantise(stored.site.position)) <= query.radiusM;
    return check.reason === undefined && isWithin ? await holdCandidate(stored, check, query) : undefined;
  }

  async function holdCandidate(stored: StoredSite, { classes }: SiteCheck, query: SiteQuery): Promise<HoldCandidate> {
    return storedCandidate(
      stored,
      classes.map((index) => holdClass(stored.site, index, query.isHard === true)),
      (await termsBook.atSite(stored.site)).termsNumber,
    );
  }

  function queryOf(request: ReserveRequest, options: TakeOptions): SiteQuery | NearestQuery {
    const { isTest, nowMs } = options;
    const { place } = request;
    if (place.case !== "nearest") return namedSiteQuery(request, isTest, nowMs);
    return reserveNearestQuery(request, place.value, isTest, nowMs, limitFor(candidatesTried.first, options));
  }

  /**
   * What makes candidates again of the sites of a plan. A plan may lead as far as the overflow policy does, so that how far it is from where the
   * search began says nothing there.
   */
  function resolveFor({ overflowPolicy }: ReserveRequest, query: SiteQuery | NearestQuery): ResolveSite {
    if (overflowPolicy === undefined || !("origin" in query)) return (siteId) => candidateAgain(siteId, query);
    const { origin: _origin, radiusM: _radiusM, limit: _limit, ...anywhere } = query;
    return (siteId) => candidateAgain(siteId, { ...anywhere, operatorIds: [] });
  }

  /** The search that an overflow policy allows, undefined where it allows no other site. */
  async function overflowQuery(request: ReserveRequest, options: TakeOptions): Promise<NearestQuery | undefined> {
    const { overflowPolicy, place } = request;
    if (overflowPolicy === undefined || overflowPolicy.maxDistanceM === 0) return undefined;
    const { maxDistanceM, operatorIds } = overflowPolicy;
    if (place.case === "nearest") return overflowSearch(request, { ...place.value, radiusM: maxDistanceM, operatorIds }, options);
    const [site] = await siteCache.facts([{ siteId: place.value ?? "", revision: 0 }]);
    if (site?.position === undefined) return undefined;
    return overflowSearch(request, create(NearestPlaceSchema, { origin: site.position, radiusM: maxDistanceM, operatorIds }), options);
  }

  /** Where a request that finds nothing free waits: at the site that it wants, and at the nearest of what would do else, full or not. */
  async function sitesToWaitAt(request: ReserveRequest, options: TakeOptions, elsewhere: NearestQuery | undefined): Promise<string[]> {
    const { place } = request;
    const wanted = place.case === "siteId" ? [place.value] : [];
    const searches = place.case === "nearest" ? [queryOf(request, options) as NearestQuery] : [];
    if (elsewhere !== undefined) searches.push(elsewhere);
    for (const { knownAtMs: _knownAtMs, ...search } of searches) {
      const limit = waitingPlacesMax + 1;
      const found = await allocator.nearest({ ...search, limit, includesFull: true }, { signal: options.signal });
      wanted.push(...found.map(({ siteId }) => siteId).filter((siteId) => siteId !== options.exceptSiteId));
    }
    const [first] = wanted;
    // A reservation waits in one region: one script gives it a place in one instant, and takes it out of the other queues.
    const region = first === undefined ? undefined : parseSiteId(first)?.region;
    return [...new Set(wanted)].filter((siteId) => parseSiteId(siteId)?.region === region).slice(0, waitingPlacesMax);
  }

  /** What a request that finds nothing free where it wants it gets as it has declared in advance; undefined where that is nothing. */
  async function overflow(request: ReserveRequest, hold: HoldRequest, options: TakeOptions): Promise<Reservation | undefined> {
    const elsewhere = await overflowQuery(request, options);
    const resolve = resolveFor(request, elsewhere ?? queryOf(request, options));
    if (elsewhere !== undefined) {
      let candidates: HoldCandidate[] = [];
      for (let attempt = 0; attempt === 0 || (attempt < maxSearches && candidates.length > 0); attempt++) {
        candidates = await candidatesNear(elsewhere, options);
        if (candidates.length === 0) continue;
        const outcome = await allocator.holds.take(hold, candidates, resolve);
        if (outcome.tag !== "none") return outcome.reservation;
      }
    }
    if (hold.waiting === undefined) return undefined;
    const siteIds = await sitesToWaitAt(request, options, elsewhere);
    if (siteIds.length === 0) return undefined;
    const outcome = await allocator.holds.wait(hold, siteIds, resolve);
    return outcome.tag === "none" ? undefined : outcome.reservation;
  }

  /** Looks only: whoever repeats a request gets its answer even where the site has no place, or is not open, any more. */
  async function look(hold: HoldRequest, resolve: ResolveSite): Promise<Reservation | undefined> {
    const outcome = await allocator.holds.take(hold, [], resolve);
    return outcome.tag === "none" ? undefined : outcome.reservation;
  }

  return {
    find: (request, hold, options) => look(hold, resolveFor(request, queryOf(request, options))),
    async take(request, hold, options) {
      const { place } = request;
      const query = queryOf(request, options);
      const nearest = "origin" in query ? query : undefined;
      const resolve = resolveFor(request, query);
      if ((nearest === undefined || request.overflowPolicy !== undefined) && !hold.isTied) {
        hold.isFirst = !(await allocator.requestIds.claim(hold.participantId, hold.requestId, hold.fingerprint));
        hold.isTied = true;
      }
      if (hold.isTied && hold.isFirst !== true) {
        const before = await look(hold, resolve);
        if (before !== undefined) return before;
      }
      let outcome: HoldOutcome = { tag: "none" };
      let mayBeMore = true;
      for (let attempt = 0; attempt < maxSearches && outcome.tag === "none" && mayBeMore; attempt++) {
        const candidates =
          nearest === undefined
            ? [await candidateAt(place.case === "siteId" ? place.value : "", query)]
            : await candidatesNear(attempt === 0 ? nearest : { ...nearest, limit: limitFor(candidatesTried.again, options) }, options);
        // Others may take all that a search showed before this call does: only a search that shows nothing says that nothing is free.
        mayBeMore = nearest === undefined ? attempt < maxAttempts : candidates.length > 0;
        if (candidates.length > 0) outcome = await allocator.holds.take(hold, candidates, resolve);
      }
      if (outcome.tag !== "none") return outcome.reservation;
      // A twin may have taken the last place for this very request, or the request itself when it came before.
      const twins = await look(hold, resolve);
      if (twins !== undefined) return twins;
      const elsewhere = await overflow(request, hold, options);
      if (elsewhere !== undefined) return elsewhere;
      throw mayBeMore && nearest !== undefined ? keptFilling() : noPlaceFree(request);
    },
  };
}

/** Where the answer to a request for a place is remembered: it follows from the body, so that a repetition looks in the same region. */
export function homeRegion(request: ReserveRequest): string {
  if (request.place.case === "nearest") {
    const { origin } = request.place.value;
    if (origin === undefined) throw new TypeError("validation let an empty field through");
    return regionOfCell(indexCellOf(quantise(origin)));
  }
  const siteId = request.place.value ?? "";
  const id = parseSiteId(siteId);
  if (id === undefined) throw siteNotFound(siteId);
  return id.region;
}

type ResolveSite = (siteId: string) => Promise<HoldCandidate | undefined>;

/** The search for another site than was wanted. */
function overflowSearch(request: ReserveRequest, place: NearestPlace, { isTest, nowMs }: TakeOptions): NearestQuery {
  return reserveNearestQuery(request, place, isTest, nowMs, candidatesTried.again + 1);
}

/** How many sites to look for so that as many candidates are among them. */
function limitFor(candidates: number, { exceptSiteId }: TakeOptions): number {
  return exceptSiteId === undefined ? candidates : candidates + 1;
}

function noPlaceFree(request: ReserveRequest): PetakError {
  const { place } = request;
  const end = overflowFallbackMetadata(request);
  if (place.case === "siteId") {
    return new PetakError("NO_PLACE_FREE", `no suitable place is free at site ${place.value}; name another site or try again later`, {
      metadata: { site_id: place.value, ...end },
      retryAfterMs: noPlaceRetryMs,
    });
  }
  const radiusM = place.value?.radiusM ?? 0;
  const where = radiusM === 0 ? "anywhere" : `within ${radiusM} m`;
  return new PetakError("NO_PLACE_FREE", `no suitable place is free ${where} with these filters; widen the search or try again later`, {
    metadata: { radius_m: String(radiusM), ...end },
    retryAfterMs: noPlaceRetryMs,
  });
}

/** A rush: worth another try at once, with the same request. */
function keptFilling(): PetakError {
  return new PetakError("CONFLICT", "other calls took every place that this one found; send the same request again", {
    retryAfterMs: 100,
  });
}

/** Places come free when parcels are collected: asking again within the minute is seldom of use. */
const noPlaceRetryMs = 60_000;
