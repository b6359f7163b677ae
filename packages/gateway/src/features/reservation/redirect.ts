import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  heldEvent,
  isBoundByPolicy,
  nextRedirectStep,
  participantParty,
  refuseRedirect,
  replacement,
  type Transition,
} from "@petak/lifecycle";
import {
  invalidField,
  PetakError,
  type RedirectRequest,
  RedirectRequestSchema,
  type RedirectResponse,
  RedirectResponseSchema,
  type Reservation,
  ReservationState,
  type ReserveRequest,
  ReserveRequestSchema,
} from "@petak/protocol";
import type { TermsBook } from "@petak/records";
import { type Allocator, type HoldRequest, reservationNotFound, type SiteCache } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { createReservationChanges } from "../idempotency/change-reservation.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import type { ReceiptFacts, Receipts } from "../receipts/receipts.ts";
import { summarise } from "../search/site-summary.ts";
import { boundPlace, type RedirectPlace } from "./overflow-bounds.ts";
import { homeRegion, type TakePlace } from "./take-place.ts";
import { waitingFor } from "./waiting.ts";

/** What redirecting needs. */
export interface RedirectDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  termsBook: TermsBook;
  takePlace: TakePlace;
  receipts: Receipts;
  now: () => number;
  /** How long a place is held until it is confirmed, in ms. */
  holdDefaultMs: number;
}

/** How often it looks anew when what it read has changed before it could write. */
const maxAttempts = 8;

/** The old reservation as it ended, and the new one. */
interface Redirected {
  old: Reservation;
  taken: Reservation;
}

/**
 * Makes what lets a parcel go to another place. Its steps are each done once however often they are begun, so that a repetition after a crash at any
 * instant finishes the rest:
 *
 * 1. A place is held elsewhere, or waited for where the old reservation waits and nothing is free: by the request's own handle, so that a repetition finds it.
 * 2. Where the old reservation is confirmed, so is the new one.
 * 3. The old reservation ends, if it still can. Where it cannot, the new one is given back, and the refusal says why. Where the new one has ended
 *    meanwhile, because nobody came back in time, the old one stays as it is.
 *
 * Then the answer is kept. Until the third step both places are taken.
 */
export function createRedirect({ allocator, siteCache, termsBook, takePlace, receipts, now, holdDefaultMs }: RedirectDependencies) {
  const { findOwn, refuseOthers } = createReservationChanges(allocator, receipts);

  return async (request: RedirectRequest, caller: ParticipantCaller, signal: AbortSignal): Promise<RedirectResponse> => {
    const { requestId, reservationId } = request;
    const { participantId } = caller;
    const fingerprint = fingerprintOf(RedirectRequestSchema, request);
    const isFirst = !(await allocator.requestIds.claim(participantId, requestId, fingerprint));
    if (!isFirst) {
      const kept = await allocator.requestIds.kept(participantId, requestId, fingerprint);
      if (kept !== undefined) return fromBinary(RedirectResponseSchema, kept);
    }
    const old = await findOwn(reservationId, caller);
    refuseOthers(old, caller, "owner");
    const { asked, hold } = holdElsewhere(request, await placeFor(request, caller, old), caller, old, fingerprint, isFirst);
    const options = { isTest: old.isTest, nowMs: now(), signal, exceptSiteId: old.siteId };
    let taken = isFirst ? undefined : await takePlace.find(asked, hold, options);
    if (taken === undefined) {
      refuseRedirect(old, now());
      taken = await takePlace.take(asked, hold, options);
    }
    const redirected = await settle(request, caller, taken.reservationId);
    const terms = await termsBook.of(redirected.taken);
    const response = create(RedirectResponseSchema, { reservation: redirected.taken, redirected: redirected.old });
    const [site] = await siteCache.facts([{ siteId: redirected.taken.siteId, revision: 0 }]);
    if (site !== undefined) response.site = summarise(site, terms);
    const kept = await allocator.requestIds.keep(participantId, requestId, fingerprint, toBinary(RedirectResponseSchema, response));
    return fromBinary(RedirectResponseSchema, kept);
  };

  /** Where it may go: where it is asked for, or within what was declared in advance. */
  async function placeFor({ place }: RedirectRequest, caller: ParticipantCaller, old: Reservation): Promise<RedirectPlace> {
    if (!isBoundByPolicy(old, caller)) return place;
    // Whatever else is wrong with it: that it has ended says more.
    if (old.redirectedTo === "") refuseRedirect(old, now());
    // Not from the cache, where nothing says that these facts are in force.
    return await boundPlace(old, place, allocator.sites.facts);
  }

  /** What is asked for elsewhere, and the hold on it: the same whenever the request comes, but for the times. */
  function holdElsewhere(
    request: RedirectRequest,
    place: RedirectPlace,
    caller: ParticipantCaller,
    old: Reservation,
    fingerprint: Buffer,
    isFirst: boolean,
  ): { asked: ReserveRequest; hold: HoldRequest } {
    if (place.case === "siteId" && place.value === old.siteId) {
      // Whatever else is wrong with it: that it has ended says more.
      refuseRedirect(old, now());
      throw invalidField("site_id", "must not be the reservation's own site", "redirect.to_another_site");
    }
    const asked = create(ReserveRequestSchema, {
      place,
      ...(old.parcel && { parcel: old.parcel }),
      purpose: old.purpose,
      ...(request.requirements && { requirements: request.requirements }),
      includeUnknown: request.includeUnknown,
      holdKind: old.holdKind,
    });
    const atMs = now();
    const actor = participantParty(caller);
    const reservation = replacement(old, { request, caller, holdMs: holdDefaultMs }, atMs);
    const hold: HoldRequest = {
      participantId: caller.participantId,
      requestId: request.requestId,
      fingerprint,
      isTied: true,
      isFirst,
      homeRegion: homeRegion(asked),
      reservation,
      deadlineMs: atMs + holdDefaultMs,
      event: (reservationId) => heldEvent(reservation, reservationId, { actor, relatedReservationId: old.reservationId }, atMs),
    };
    if (old.state === ReservationState.QUEUED && old.queuedUntil !== undefined) {
      hold.waiting = waitingFor({
        asked,
        held: reservation,
        until: old.queuedUntil,
        since: old.queuedSince,
        holdMs: holdDefaultMs,
        actor,
        atMs,
        relatedReservationId: old.reservationId,
        termsBook,
      });
    }
    return { asked, hold };
  }

  /** Takes one step after another, each by what both reservations are just then, until the old one has ended in favour of the new one. */
  async function settle({ reservationId, reason }: RedirectRequest, caller: ParticipantCaller, takenId: string): Promise<Redirected> {
    const actor = participantParty(caller);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const [old, taken] = await Promise.all([found(reservationId), found(takenId)]);
      const [oldTerms, takenTerms] = await Promise.all([termsBook.of(old), termsBook.of(taken)]);
      const step = nextRedirectStep(old, taken, { actor, reason, oldTerms, takenTerms }, now());
      if (step.tag === "done") return { old, taken };
      const facts = step.tag === "confirm" ? { continued: old } : {};
      const isWritten = step.transition === undefined || (await write(step.transition, facts));
      if (!isWritten) continue;
      if (step.tag === "give back") throw step.refusal;
      if (step.tag === "end") return { old: step.transition.after, taken };
    }
    throw new PetakError("CONFLICT", `reservation ${reservationId} was changed concurrently too often; send the same request again`, {
      metadata: { reservation_id: reservationId },
    });
  }

  async function found(reservationId: string): Promise<Reservation> {
    const reservation = await allocator.reservations.find(reservationId);
    if (reservation === undefined) throw reservationNotFound(reservationId);
    return reservation;
  }

  /** Makes one change. False where the reservation is not as it was read any more. */
  async function write(change: Transition, facts: ReceiptFacts): Promise<boolean> {
    const outcome = await allocator.reservations.apply(await receipts.attach(change.before, change, facts));
    return outcome.tag === "done";
  }
}
