import type { Reservation } from "@petak/protocol";
import type { HoldExhaustion } from "../encoding/hold-limits.ts";
import type { RequestIds } from "../idempotency/request-ids.ts";
import type { Waiting } from "../queue/queues.ts";
import type { HoldCandidate } from "../reservations/candidates.ts";
import type { HoldOutcome, HoldRequest, Holds } from "../reservations/reserve.ts";
import { type CandidateSources, candidatesTried, createCandidateFinder, type PlaceCall, searchesMax } from "./find-candidates.ts";
import { createTakeOverflow, type ResolveSite, resolverFor } from "./overflow-places.ts";
import { holdsExhausted, lostInRush, noPlaceFree } from "./place-errors.ts";
import { homeRegionOf, isSearch, type WantedPlace, withLimit } from "./wanted-place.ts";

/** The hold that a request asks for, at any site. */
export interface PlaceHold extends Omit<HoldRequest, "homeRegion" | "isBound" | "isFirst" | "waiting"> {
  /** Set if the caller has claimed the request id: whether it was new. Default: the id is claimed together with the hold. */
  claimed?: "first" | "repeated";
  /** How the reservation is queued if no place is free. Default: it is not. */
  waiting?: Omit<Waiting, "termsAt"> | undefined;
}

/** Takes places: at the site that a request names, or at the nearest site that satisfies its query. */
export interface Places {
  /**
   * Holds a place. If none is free, the overflow policy may allow another site, or the reservation is queued. A repeated request gets the reservation of the first.
   *
   * @throws {PetakError} NO_PLACE_FREE; CONFLICT if other calls took every place that this one found; REQUEST_ID_REUSED; QUEUE_FULL; QUEUE_SHARE_EXHAUSTED;
   *   HOLDS_EXHAUSTED if the participant may hold no more where a place is free; and for a named site SITE_NOT_FOUND, SITE_NOT_ACCEPTING, or the error for the
   *   requirement of the query that the site does not meet.
   */
  take(wanted: WantedPlace, hold: PlaceHold, call: PlaceCall): Promise<Reservation>;
  /** The reservation that the same request got before. Undefined if it got none. */
  find(wanted: WantedPlace, hold: PlaceHold): Promise<Reservation | undefined>;
}

/** The sources of places. */
export interface PlaceSources extends CandidateSources {
  holds: Holds;
  requestIds: Pick<RequestIds, "claim">;
}

/** The result of looking for a place where it is wanted. */
interface Taking {
  outcome: HoldOutcome;
  /** The last limit on the participant's holds for which a free place was passed over. */
  exhaustion: HoldExhaustion | undefined;
  /** Whether another search might find a place. */
  mayBeMore: boolean;
}

/**
 * How many further sites each search tries after the participant's share was used at all that were found. Few searches with many sites each, since a participant
 * that has used its share nearly everywhere must not cost more than a few others: after about forty sites it is refused.
 */
const passingOver = [7, 32];

/** The most attempts at a named site that changes before the place can be taken. */
const namedAttemptsMax = 5;

/** Takes places with the search and the store. */
export function createPlaces({ holds, requestIds, ...sources }: PlaceSources): Places {
  const candidates = createCandidateFinder(sources);
  const takeOverflow = createTakeOverflow({ ...sources, candidates, holds });
  const termsAt: Waiting["termsAt"] = async (site) => await sources.termsBook.atSite(site);

  function requestOf(wanted: WantedPlace, hold: PlaceHold): HoldRequest {
    // Assigned one by one: spreading is slower.
    const request: HoldRequest = {
      participantId: hold.participantId,
      requestId: hold.requestId,
      fingerprint: hold.fingerprint,
      isBound: hold.claimed !== undefined,
      isFirst: hold.claimed === "first",
      homeRegion: homeRegionOf(wanted),
      reservation: hold.reservation,
      event: hold.event,
      deadlineMs: hold.deadlineMs,
    };
    if (hold.limits !== undefined) request.limits = hold.limits;
    if (hold.waiting !== undefined) request.waiting = { ...hold.waiting, termsAt, ...(hold.limits && { limits: hold.limits }) };
    return request;
  }

  /** Looks for the result of the same request, without taking a place: a repetition gets it even if the site is full or closed now. */
  async function findRepeated(request: HoldRequest, resolve: ResolveSite): Promise<Reservation | undefined> {
    const outcome = await holds.take(request, [], resolve);
    return outcome.tag === "none" ? undefined : outcome.reservation;
  }

  /** Takes a place at the named site, or at the nearest ones. */
  async function takeWanted(wanted: WantedPlace, request: HoldRequest, resolve: ResolveSite, call: PlaceCall): Promise<Taking> {
    const passedOver = new Set<string>();
    let outcome: HoldOutcome = { tag: "none" };
    let exhaustion: HoldExhaustion | undefined;
    let exhaustedSearches = 0;
    let mayBeMore = true;
    for (let attempt = 0; attempt < searchesMax && outcome.tag === "none" && mayBeMore; attempt++) {
      const tried = passingOver[exhaustedSearches - 1] ?? (attempt === 0 ? candidatesTried.first : candidatesTried.again);
      const found = await candidatesFor(wanted, tried, passedOver, call);
      // Other calls may take every place that a search found: only a search that finds nothing shows that no place is free.
      mayBeMore = wanted.siteId === undefined ? found.length > 0 : attempt < namedAttemptsMax;
      if (found.length > 0) outcome = await holds.take(request, found, resolve);
      if (outcome.tag === "none" && outcome.exhaustion !== undefined) {
        exhaustion = outcome.exhaustion;
        exhaustedSearches += 1;
        if (wanted.siteId !== undefined || exhaustion.scope === "region" || exhaustedSearches > passingOver.length) break;
        for (const { siteId } of found) passedOver.add(siteId);
      }
    }
    return { outcome, exhaustion, mayBeMore };
  }

  async function candidatesFor(
    wanted: WantedPlace,
    tried: number,
    passedOver: ReadonlySet<string>,
    call: PlaceCall,
  ): Promise<HoldCandidate[]> {
    if (wanted.siteId !== undefined) return [await candidates.at(wanted.siteId, wanted.query)];
    const limit = tried + passedOver.size + (call.exceptSiteId === undefined ? 0 : 1);
    const found = await candidates.near(withLimit(wanted.query, limit), call);
    return passedOver.size === 0 ? found : found.filter(({ siteId }) => !passedOver.has(siteId));
  }

  return {
    find: (wanted, hold) => findRepeated(requestOf(wanted, hold), resolverFor(candidates, wanted.query, wanted.overflow !== undefined)),
    async take(wanted, hold, call) {
      const request = requestOf(wanted, hold);
      const resolve = resolverFor(candidates, wanted.query, wanted.overflow !== undefined);
      if ((wanted.siteId !== undefined || wanted.overflow !== undefined) && !request.isBound) {
        request.isFirst = !(await requestIds.claim(request.participantId, request.requestId, request.fingerprint));
        request.isBound = true;
      }
      if (request.isBound && request.isFirst !== true) {
        const before = await findRepeated(request, resolve);
        if (before !== undefined) return before;
      }
      const { outcome, exhaustion, mayBeMore } = await takeWanted(wanted, request, resolve, call);
      if (outcome.tag !== "none") return outcome.reservation;
      // A duplicate of this request, or an earlier attempt, may have taken the last place.
      const duplicate = await findRepeated(request, resolve);
      if (duplicate !== undefined) return duplicate;
      const elsewhere = await takeOverflow(wanted, request, call);
      if (elsewhere.tag !== "none") return elsewhere.reservation;
      const limit = exhaustion ?? elsewhere.exhaustion;
      if (limit !== undefined) throw holdsExhausted(wanted, limit, request.reservation);
      throw mayBeMore && isSearch(wanted.query) ? lostInRush() : noPlaceFree(wanted);
    },
  };
}
