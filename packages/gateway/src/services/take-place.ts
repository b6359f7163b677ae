import {
  type Allocator,
  checkSite,
  greatCircleM,
  type HoldCandidate,
  type HoldClass,
  type HoldOutcome,
  type HoldRequest,
  indexCellOf,
  type NearestQuery,
  quantise,
  regionOfCell,
  type SiteCheck,
  type SiteQuery,
  type StoredSite,
  storedCandidate,
} from "@petak/allocator";
import { PetakError, parseSiteId, type Reservation, type ReserveRequest, type Site } from "@petak/protocol";
import type { SiteCache } from "../stores/site-cache.ts";
import type { TermsBook } from "../stores/terms-book.ts";
import { siteNotFound } from "./directory.ts";
import { siteNotAccepting, siteUnmet } from "./named-site.ts";
import { namedSiteQuery, reserveNearestQuery } from "./nearest-query.ts";

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
  exceptSiteId?: string;
}

/** Takes places as requests ask for them: at the site that one names, or at the nearest of what fits. */
export interface TakePlace {
  /**
   * Holds a place. Gives the reservation that the same request got before, where it did.
   *
   * @throws {PetakError} NO_PLACE_FREE, CONFLICT in a rush that this call lost each time, and what is wrong with a site that was named.
   */
  take(request: ReserveRequest, hold: HoldRequest, options: TakeOptions): Promise<Reservation>;
  /** Gives the reservation that the same request got before; undefined where it got none. */
  find(request: ReserveRequest, hold: HoldRequest, options: TakeOptions): Promise<Reservation | undefined>;
}

/**
 * Sites that are tried in one go: with the first full, the next is a few hundred metres on. What a search showed is seldom older than a few
 * ms, so that the first still has its place nearly always, and where all of these have gone, it searches anew.
 */
const candidatesTried = 3;

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
        classes: candidate.classes.map((sizeClass) => holdClass(site, sizeClass.index, query)),
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
      classes.map((index) => holdClass(stored.site, index, query)),
      (await termsBook.atSite(stored.site)).termsNumber,
    );
  }

  function queryOf(request: ReserveRequest, { isTest, nowMs, exceptSiteId }: TakeOptions): SiteQuery | NearestQuery {
    const { place } = request;
    if (place.case !== "nearest") return namedSiteQuery(request, isTest, nowMs);
    const limit = exceptSiteId === undefined ? candidatesTried : candidatesTried + 1;
    return reserveNearestQuery(request, place.value, isTest, nowMs, limit);
  }

  /** Looks only: whoever repeats a request gets its answer even where the site has no place, or is not open, any more. */
  async function look(hold: HoldRequest, query: SiteQuery | NearestQuery): Promise<Reservation | undefined> {
    const outcome = await allocator.holds.take(hold, [], (siteId) => candidateAgain(siteId, query));
    return outcome.tag === "none" ? undefined : outcome.reservation;
  }

  return {
    find: (request, hold, options) => look(hold, queryOf(request, options)),
    async take(request, hold, options) {
      const { place } = request;
      const query = queryOf(request, options);
      const nearest = "origin" in query ? query : undefined;
      if (nearest === undefined && !hold.isTied) {
        hold.isFirst = !(await allocator.requestIds.claim(hold.participantId, hold.requestId, hold.fingerprint));
        hold.isTied = true;
      }
      if (hold.isTied && hold.isFirst !== true) {
        const before = await look(hold, query);
        if (before !== undefined) return before;
      }
      let outcome: HoldOutcome = { tag: "none" };
      let mayBeMore = true;
      for (let attempt = 0; attempt < maxSearches && outcome.tag === "none" && mayBeMore; attempt++) {
        const candidates =
          nearest === undefined
            ? [await candidateAt(place.case === "siteId" ? place.value : "", query)]
            : await candidatesNear(nearest, options);
        // Others may take all that a search showed before this call does: only a search that shows nothing says that nothing is free.
        mayBeMore = nearest === undefined ? attempt < maxAttempts : candidates.length > 0;
        if (candidates.length > 0) outcome = await allocator.holds.take(hold, candidates, (siteId) => candidateAgain(siteId, query));
      }
      if (outcome.tag !== "none") return outcome.reservation;
      // A twin may have taken the last place for this very request, or the request itself when it came before.
      const twins = await look(hold, query);
      if (twins !== undefined) return twins;
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

function holdClass({ sizeClasses, compartments }: Site, index: number, { isHard = false }: SiteQuery): HoldClass {
  const sizeClassId = sizeClasses[index]?.sizeClassId ?? "";
  if (!isHard) return { index, sizeClassId };
  const ofClass = compartments.filter((compartment) => compartment.sizeClassId === sizeClassId);
  // The last first: agents give soft holds the first that is empty, so that the two seldom want the same door.
  return { index, sizeClassId, compartmentIds: ofClass.map(({ compartmentId }) => compartmentId).reverse() };
}

function noPlaceFree({ place }: ReserveRequest): PetakError {
  if (place.case === "siteId") {
    return new PetakError("NO_PLACE_FREE", `no place that fits is free at site ${place.value}`, {
      metadata: { site_id: place.value },
      retryAfterMs: noPlaceRetryMs,
    });
  }
  const radiusM = place.value?.radiusM ?? 0;
  const where = radiusM === 0 ? "anywhere" : `within ${radiusM} m`;
  return new PetakError("NO_PLACE_FREE", `no place that fits is free ${where} with these filters`, {
    metadata: { radius_m: String(radiusM) },
    retryAfterMs: noPlaceRetryMs,
  });
}

/** A rush: worth another try at once, with the same request. */
function keptFilling(): PetakError {
  return new PetakError("CONFLICT", "others took every place that was found before this call could; send the same request again", {
    retryAfterMs: 100,
  });
}

/** Places come free when parcels are collected: asking again within the minute is seldom of use. */
const noPlaceRetryMs = 60_000;
