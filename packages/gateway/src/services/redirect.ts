import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationMs, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  CancellationReason,
  EventType,
  invalidField,
  type Party,
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
import type { SiteCache } from "@petak/records";
import { type Allocator, type HoldRequest, reservationNotFound, type Transition } from "@petak/records";
import { countedAt } from "../domain/class-index.ts";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { changed, illegalState, moveTo, refuseMove, refuseOver } from "../domain/move-on.ts";
import { findMove } from "../domain/moves.ts";
import { participantParty } from "../domain/participant-party.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import { type FullTerms, freeChangeUntil, lateChangeFee } from "../domain/terms.ts";
import { whatEndsWith } from "../domain/what-ends.ts";
import type { ParticipantCaller } from "../identity/index.ts";
import type { ReceiptFacts, Receipts } from "../receipts/receipts.ts";
import type { TermsBook } from "../stores/terms-book.ts";
import { siteNotFound } from "./directory.ts";
import { boundPlace, isBoundByPolicy, type RedirectPlace } from "./overflow-bounds.ts";
import { createReservationChanges } from "./reservation-changes.ts";
import { summarise } from "./site-summary.ts";
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
      refuseEnded(old, now());
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
    if (old.redirectedTo === "") refuseEnded(old, now());
    return await boundPlace(old, place, async (siteIds) => await siteCache.facts(siteIds.map((siteId) => ({ siteId, revision: 0 }))));
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
      refuseEnded(old, now());
      throw invalidField("site_id", "is the site of the reservation already", "redirect.to_another_site");
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
    const deadlineMs = atMs + holdDefaultMs;
    const reservation = newReservation(old, atMs, deadlineMs);
    declareOverflow(reservation, old, request, caller);
    const hold: HoldRequest = {
      participantId: caller.participantId,
      requestId: request.requestId,
      fingerprint,
      isTied: true,
      isFirst,
      homeRegion: homeRegion(asked),
      reservation,
      deadlineMs,
      event: (reservationId) =>
        reservationEvent({
          type: EventType.RESERVATION_HELD,
          reservation,
          reservationId,
          stateBefore: ReservationState.UNSPECIFIED,
          actor: participantParty(caller),
          occurredAtMs: atMs,
          relatedReservationId: old.reservationId,
        }),
    };
    if (old.state === ReservationState.QUEUED && old.queuedUntil !== undefined) {
      hold.waiting = waitingFor({
        asked,
        held: reservation,
        until: old.queuedUntil,
        since: old.queuedSince,
        holdMs: holdDefaultMs,
        actor: participantParty(caller),
        atMs,
        relatedReservationId: old.reservationId,
        termsBook,
      });
    }
    return { asked, hold };
  }

  /** Takes one step after another, each by what both reservations are just then, until the old one has ended in favour of the new one. */
  async function settle(request: RedirectRequest, caller: ParticipantCaller, takenId: string): Promise<Redirected> {
    const { reservationId: oldId, reason } = request;
    const actor = participantParty(caller);
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const [old, taken] = await Promise.all([found(oldId), found(takenId)]);
      if (old.redirectedTo === takenId) return { old, taken };
      const atMs = now();
      const refusal = refusalOf(() => refuseEnded(old, atMs));
      if (refusal !== undefined) {
        if (!(await giveBack(taken, actor))) continue;
        throw refusal;
      }
      if (taken.state === ReservationState.QUEUED && old.state !== ReservationState.QUEUED) {
        // It has got its place meanwhile, which is not given up for one in a queue.
        if (!(await giveBack(taken, actor))) continue;
        throw noPlaceElsewhere(old);
      }
      refuseGone(taken, atMs);
      if (old.state === ReservationState.CONFIRMED && taken.state === ReservationState.HELD) {
        const after = confirmedLike(old, taken, await termsBook.of(taken), atMs);
        const deadlineMs = after.depositUntil === undefined ? null : timestampMs(after.depositUntil);
        const transition = { before: taken, ...moveTo(taken, after, { actor, atMs }), deadlineMs, isAllowed: true };
        await write(transition, { continued: old });
        continue;
      }
      const fee = lateChangeFee(old, await termsBook.of(old), caller, atMs);
      const after = changed(old, atMs, { state: ReservationState.CANCELLED, redirectedTo: takenId, ...fee });
      const facts = { actor, atMs, cancellationReason: reason, relatedReservationId: takenId };
      const isDone = await write({ before: old, ...moveTo(old, after, facts), ...whatEndsWith(old, atMs) });
      if (isDone) return { old: after, taken };
    }
    throw new PetakError("CONFLICT", `reservation ${oldId} kept changing; send the same request again`, {
      metadata: { reservation_id: oldId },
    });
  }

  /** Ends a reservation that nobody has heard of. False where it has changed meanwhile. */
  async function giveBack(taken: Reservation, actor: Party): Promise<boolean> {
    if (findMove(taken.state, ReservationState.CANCELLED) === undefined) return true;
    const atMs = now();
    const after = changed(taken, atMs, { state: ReservationState.CANCELLED });
    const facts = { actor, atMs, cancellationReason: CancellationReason.OTHER };
    return await write({ before: taken, ...moveTo(taken, after, facts), ...whatEndsWith(taken, atMs) });
  }

  async function found(reservationId: string): Promise<Reservation> {
    const reservation = await allocator.reservations.find(reservationId);
    if (reservation === undefined) throw reservationNotFound(reservationId);
    return reservation;
  }

  /** Makes one change. False where the reservation is not as it was read any more. */
  async function write(change: Omit<Transition, "cell" | "classIndex">, facts?: ReceiptFacts): Promise<boolean> {
    const { before } = change;
    const filed = await allocator.sites.filed(before.siteId);
    if (filed === undefined) throw siteNotFound(before.siteId);
    const transition = await receipts.attach(before, change, facts);
    const outcome = await allocator.reservations.move({ ...transition, ...countedAt(filed, before, change), cell: filed.cell });
    return outcome.tag === "done";
  }
}

/** Refuses to redirect what has ended, or is inside already. */
function refuseEnded(old: Reservation, atMs: number): void {
  refuseMove(old, ReservationState.CANCELLED);
  refuseOver(old, atMs, ReservationState.CANCELLED);
}

/** The states of a reservation that another may be given up for. */
const standing: ReadonlySet<ReservationState> = new Set([ReservationState.QUEUED, ReservationState.HELD, ReservationState.CONFIRMED]);

/** The error where what waited has got a place, and the one elsewhere would only wait. */
function noPlaceElsewhere({ reservationId, siteId }: Reservation): PetakError {
  return new PetakError("NO_PLACE_FREE", `nothing is free there, and reservation ${reservationId} has got a place meanwhile`, {
    metadata: { site_id: siteId },
    retryAfterMs: 60_000,
  });
}

/** What is to be done from now on where no place is free, and from where its distances are measured. */
function declareOverflow(
  reservation: Reservation,
  old: Reservation,
  { overflowPolicy, place }: RedirectRequest,
  caller: ParticipantCaller,
): void {
  if (overflowPolicy !== undefined) reservation.overflowPolicy = overflowPolicy;
  if (reservation.overflowPolicy === undefined) return;
  const wantedBefore = old.wantedSiteId === "" ? old.siteId : old.wantedSiteId;
  // Where the consumer's side redirects, that is where it wants the parcel now.
  const wantedNow = place.case === "siteId" ? place.value : "";
  reservation.wantedSiteId = isBoundByPolicy(old, caller) ? wantedBefore : wantedNow;
}

/** Refuses to give up a place for one that has gone while nobody came back for it. */
function refuseGone(taken: Reservation, atMs: number): void {
  const why = ": the place that this request held has gone meanwhile; send a new request";
  const isStanding = standing.has(taken.state);
  if (!isStanding) throw illegalState(taken, ReservationState.CONFIRMED, why);
  refuseOver(taken, atMs, ReservationState.CONFIRMED);
}

function refusalOf(check: () => void): PetakError | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof PetakError) return error;
    throw error;
  }
}

/** The new reservation, confirmed with as long for the deposit as the old one has, or as its own terms give. */
function confirmedLike({ depositUntil }: Reservation, taken: Reservation, terms: FullTerms, atMs: number): Reservation {
  const limitMs = atMs + durationMs(terms.noShowAfter);
  const untilMs = depositUntil === undefined ? limitMs : Math.min(timestampMs(depositUntil), limitMs);
  const freeUntil = freeChangeUntil(terms, atMs, untilMs);
  return changed(taken, atMs, {
    state: ReservationState.CONFIRMED,
    depositUntil: timestampFromMs(untilMs),
    ...(freeUntil && { freeChangeUntil: freeUntil }),
  });
}

/** The reservation that takes the place of another, but for its id, site, operator, size class and terms. */
function newReservation(old: Reservation, atMs: number, deadlineMs: number): Reservation {
  const {
    depositUntil: _depositUntil,
    collectUntil: _collectUntil,
    depositedAt: _depositedAt,
    collectedAt: _collectedAt,
    firstHoldExpiresAt: _firstHoldExpiresAt,
    overdueSince: _overdueSince,
    recalledAt: _recalledAt,
    feeDue: _feeDue,
    freeChangeUntil: _freeChangeUntil,
    queuedUntil: _queuedUntil,
    queuedSince: _queuedSince,
    chain: _chain,
    ...kept
  } = old;
  return {
    ...kept,
    reservationId: "",
    siteId: "",
    operatorId: "",
    sizeClassId: "",
    state: ReservationState.HELD,
    revision: 1,
    createdAt: timestampFromMs(atMs),
    updatedAt: timestampFromMs(atMs),
    holdExpiresAt: timestampFromMs(deadlineMs),
    compartmentId: "",
    heldCompartmentId: "",
    redirectedTo: "",
    // A bundle is of one site, and so are the credentials.
    bundleId: "",
    delegations: [],
    revokedCredentials: [],
    termsNumber: 0,
    redirectedFrom: old.reservationId,
    queuePosition: 0,
    queuedSiteIds: [],
  };
}
