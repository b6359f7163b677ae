import type { Reservation } from "@petak/protocol";
import type { Waiting } from "../queue/queues.ts";
import type { HoldCandidate } from "../reservations/candidates.ts";
import type { RequestIds } from "../reservations/request-ids.ts";
import type { HoldOutcome, HoldRequest, Holds } from "../reservations/reserve.ts";
import { type CandidateSources, createCandidateFinder, type PlaceCall } from "./find-candidates.ts";
import { lostInRush, noPlaceFree } from "./no-place-errors.ts";
import { createTakeOverflow, type ResolveSite, resolverFor } from "./overflow-places.ts";
import { candidatesTried, namedAttemptsMax, searchesMax } from "./rush-limits.ts";
import { homeRegionOf, isSearch, type WantedPlace, withLimit } from "./wanted-place.ts";

/** The hold that a request asks for, wherever its place is. */
export interface PlaceHold extends Omit<HoldRequest, "homeRegion" | "isTied" | "isFirst" | "waiting"> {
  /** Whether the request id was seen before, where the caller has claimed it already. Default: the id is claimed with the hold. */
  claimed?: "first" | "repeated";
  /** How the reservation waits where no place is free. Default: it does not. */
  waiting?: Omit<Waiting, "termsAt"> | undefined;
}

/** Takes places: at the site that a request names, or at the nearest site that satisfies its query. */
export interface Places {
  /**
   * Holds a place. Where none is free, the overflow policy leads to another site, or the reservation waits. A repetition gets the reservation of the
   * first request.
   *
   * @throws {PetakError} NO_PLACE_FREE; CONFLICT where other calls took every place that this one found; QUEUE_FULL, QUEUE_SHARE_EXHAUSTED; and, for a
   *   named site, SITE_NOT_FOUND, SITE_NOT_ACCEPTING and the reason for which the site does not satisfy the query.
   */
  take(wanted: WantedPlace, hold: PlaceHold, call: PlaceCall): Promise<Reservation>;
  /** The reservation of the first request, for a repetition; undefined where that got none. */
  find(wanted: WantedPlace, hold: PlaceHold): Promise<Reservation | undefined>;
}

/** Where places are found, and where holds are taken. */
export interface PlaceSources extends CandidateSources {
  holds: Holds;
  requestIds: Pick<RequestIds, "claim">;
}

/** Takes places by the index and the records. */
export function createPlaces({ holds, requestIds, ...sources }: PlaceSources): Places {
  const candidates = createCandidateFinder(sources);
  const takeOverflow = createTakeOverflow({ ...sources, candidates, holds });
  const termsAt: Waiting["termsAt"] = async (site) => await sources.termsBook.atSite(site);

  function requestOf(wanted: WantedPlace, hold: PlaceHold): HoldRequest {
    // Field by field: to spread one object into another takes longer.
    const request: HoldRequest = {
      participantId: hold.participantId,
      requestId: hold.requestId,
      fingerprint: hold.fingerprint,
      isTied: hold.claimed !== undefined,
      isFirst: hold.claimed === "first",
      homeRegion: homeRegionOf(wanted),
      reservation: hold.reservation,
      event: hold.event,
      deadlineMs: hold.deadlineMs,
    };
    if (hold.waiting !== undefined) request.waiting = { ...hold.waiting, termsAt };
    return request;
  }

  /** Takes nothing: a repetition gets its response even where the site has no place, or is not open, any more. */
  async function look(request: HoldRequest, resolve: ResolveSite): Promise<Reservation | undefined> {
    const outcome = await holds.take(request, [], resolve);
    return outcome.tag === "none" ? undefined : outcome.reservation;
  }

  /** Takes a place where the request wants it. */
  async function takeWanted(wanted: WantedPlace, request: HoldRequest, resolve: ResolveSite, call: PlaceCall) {
    let outcome: HoldOutcome = { tag: "none" };
    let mayBeMore = true;
    for (let attempt = 0; attempt < searchesMax && outcome.tag === "none" && mayBeMore; attempt++) {
      const found = await candidatesFor(wanted, attempt, call);
      // Others may take every place that a search found before this call does: only a search that finds nothing shows that nothing is free.
      mayBeMore = wanted.siteId === undefined ? found.length > 0 : attempt < namedAttemptsMax;
      if (found.length > 0) outcome = await holds.take(request, found, resolve);
    }
    return { outcome, mayBeMore };
  }

  async function candidatesFor(wanted: WantedPlace, attempt: number, call: PlaceCall): Promise<HoldCandidate[]> {
    if (wanted.siteId !== undefined) return [await candidates.at(wanted.siteId, wanted.query)];
    const tried = attempt === 0 ? candidatesTried.first : candidatesTried.again;
    return await candidates.near(withLimit(wanted.query, call.exceptSiteId === undefined ? tried : tried + 1), call);
  }

  return {
    find: (wanted, hold) => look(requestOf(wanted, hold), resolverFor(candidates, wanted.query, wanted.overflow !== undefined)),
    async take(wanted, hold, call) {
      const request = requestOf(wanted, hold);
      const resolve = resolverFor(candidates, wanted.query, wanted.overflow !== undefined);
      if ((wanted.siteId !== undefined || wanted.overflow !== undefined) && !request.isTied) {
        request.isFirst = !(await requestIds.claim(request.participantId, request.requestId, request.fingerprint));
        request.isTied = true;
      }
      if (request.isTied && request.isFirst !== true) {
        const before = await look(request, resolve);
        if (before !== undefined) return before;
      }
      const { outcome, mayBeMore } = await takeWanted(wanted, request, resolve, call);
      if (outcome.tag !== "none") return outcome.reservation;
      // A duplicate may have taken the last place for this very request, or the request itself when it came before.
      const duplicates = await look(request, resolve);
      if (duplicates !== undefined) return duplicates;
      const elsewhere = await takeOverflow(wanted, request, call);
      if (elsewhere !== undefined) return elsewhere;
      throw mayBeMore && isSearch(wanted.query) ? lostInRush() : noPlaceFree(wanted);
    },
  };
}
