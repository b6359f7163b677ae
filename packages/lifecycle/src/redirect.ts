import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type CancellationReason,
  EventType,
  type Party,
  PetakError,
  type RedirectRequest,
  type Reservation,
  ReservationState,
  type Site,
} from "@petak/protocol";
import { withoutHistory } from "./as-made.ts";
import { cancel, cancelUnseen } from "./cancel.ts";
import { confirmUntil } from "./confirm.ts";
import { refusePassed } from "./deadlines.ts";
import { labelCodesOf } from "./label-codes.ts";
import { isBoundByPolicy, type PolicyCaller, wantedSiteOf } from "./overflow.ts";
import { keptRequirements } from "./reserve.ts";
import { isCancelledWithSite } from "./site-change.ts";
import { refuseOutOfService } from "./site-service.ts";
import type { FullTerms } from "./terms.ts";
import { amend, type Transition, type WritingTransition } from "./transition.ts";
import { findTransition, illegalState, requireTransition } from "./transitions.ts";

const S = ReservationState;

/** States of the new reservation in which it can replace the old one. */
const standingStates: ReadonlySet<ReservationState> = new Set([S.QUEUED, S.HELD, S.CONFIRMED]);

/** Suggested delay before a retry if no place is free, in ms. */
const noPlaceRetryMs = 60_000;

/**
 * Throws if a reservation cannot be redirected.
 *
 * @throws {PetakError} ILLEGAL_STATE if the parcel is inside or the reservation has ended.
 */
export function refuseRedirect(old: Reservation, atMs: number): void {
  if (isCancelledWithSite(old)) return;
  requireTransition(old, S.CANCELLED);
  refusePassed(old, atMs, S.CANCELLED);
}

/**
 * The reservation that replaces another one, held elsewhere, without the fields that depend on the place: id, site, operator, size class, terms and held
 * compartment.
 */
export function replacement(
  old: Reservation,
  {
    request,
    caller,
    holdMs,
  }: { request: Pick<RedirectRequest, "overflowPolicy" | "place" | "requirements">; caller: PolicyCaller; holdMs: number },
  atMs: number,
): Reservation {
  const { queuedUntil: _until, queuedSince: _since, queuePosition: _position, requirements: _requirements, ...kept } = withoutHistory(old);
  const reservation: Reservation = {
    ...kept,
    reservationId: "",
    siteId: "",
    operatorId: "",
    sizeClassId: "",
    state: S.HELD,
    createdAt: timestampFromMs(atMs),
    updatedAt: timestampFromMs(atMs),
    holdExpiresAt: timestampFromMs(atMs + holdMs),
    heldCompartmentId: "",
    termsId: "",
    siteRevision: 0,
    redirectedFrom: old.reservationId,
    queuedSiteIds: [],
  };
  if (reservation.parcel !== undefined) reservation.parcel = { ...reservation.parcel, labelCodes: [...labelCodesOf(old)] };
  if (request.requirements !== undefined) reservation.requirements = keptRequirements(request.requirements);
  if (request.overflowPolicy !== undefined) reservation.overflowPolicy = request.overflowPolicy;
  if (reservation.overflowPolicy === undefined) return reservation;
  // A redirect on the consumer's behalf changes the requested site.
  const wantedNow = request.place.case === "siteId" ? request.place.value : "";
  reservation.wantedSiteId = isBoundByPolicy(old, caller) ? wantedSiteOf(old) : wantedNow;
  return reservation;
}

/** Facts of a redirect. */
export interface RedirectFacts {
  actor: Party;
  reason: CancellationReason;
  /** Terms of the old and of the new reservation. */
  oldTerms: FullTerms;
  takenTerms: FullTerms;
  /** The site of the old one as it is now. */
  oldSite: Pick<Site, "lifecycle">;
  /** The site of the new one as it is now. */
  takenSite: Pick<Site, "siteId" | "lifecycle" | "draining">;
}

/** A step of a redirect. */
export type RedirectStep =
  /** The redirect is complete. */
  | { tag: "done" }
  /** Confirm the new reservation, like the old one. */
  | { tag: "confirm"; transition: Transition }
  /** Cancel the old one in favour of the new one: the last step. */
  | { tag: "end"; transition: WritingTransition }
  /** Cancel the new one, unless it has ended, and respond with the refusal. */
  | { tag: "give back"; transition: Transition | undefined; refusal: PetakError };

/**
 * The next step of a redirect, determined by the present states of the old and the new reservation. A repeated redirect therefore repeats no step.
 *
 * @throws {PetakError} ILLEGAL_STATE if the new reservation has ended; the old one stays unchanged.
 */
export function nextRedirectStep(old: Reservation, taken: Reservation, facts: RedirectFacts, atMs: number): RedirectStep {
  const { actor, reason, oldTerms, takenTerms, oldSite, takenSite } = facts;
  if (old.redirectedTo === taken.reservationId) return { tag: "done" };
  const refusal = refusalOf(() => refuseRedirect(old, atMs));
  if (refusal !== undefined) return giveBack(taken, actor, refusal, atMs);
  // The old one has been promoted since; its place is not given up for a place in a queue.
  if (taken.state === S.QUEUED && old.state !== S.QUEUED) return giveBack(taken, actor, noPlaceElsewhere(old), atMs);
  refuseGone(taken, atMs);
  // Its site may have gone out of service since the place was taken. One that waits may wait at other sites too.
  const outOfService = taken.state === S.QUEUED ? undefined : refusalOf(() => refuseOutOfService(taken, takenSite));
  if (outOfService !== undefined) return giveBack(taken, actor, outOfService, atMs);
  if (old.state === S.CONFIRMED && taken.state === S.HELD) {
    const wantedMs = old.depositUntil === undefined ? Number.POSITIVE_INFINITY : timestampMs(old.depositUntil);
    return { tag: "confirm", transition: confirmUntil(taken, wantedMs, { actor, terms: takenTerms }, atMs) };
  }
  if (isCancelledWithSite(old)) return { tag: "end", transition: redirectCancelled(old, taken, actor, atMs) };
  const transition = cancel(old, { actor, terms: oldTerms, site: oldSite, reason, redirectedTo: taken.reservationId }, atMs);
  return { tag: "end", transition };
}

/** Links a reservation that was cancelled with a change of its site to the one that replaces it. */
function redirectCancelled(old: Reservation, { reservationId }: Reservation, actor: Party, atMs: number): WritingTransition {
  const facts = { type: EventType.RESERVATION_SITE_CHANGED, actor, relatedReservationId: reservationId };
  const about = old.siteChange === undefined ? {} : { siteChange: old.siteChange };
  return amend(old, { redirectedTo: reservationId }, { ...facts, ...about }, atMs);
}

function giveBack(taken: Reservation, actor: Party, refusal: PetakError, atMs: number): RedirectStep {
  const canEnd = findTransition(taken.state, S.CANCELLED) !== undefined;
  return { tag: "give back", transition: canEnd ? cancelUnseen(taken, { actor }, atMs) : undefined, refusal };
}

/** Throws if the new reservation's hold has ended before the redirect was completed. */
function refuseGone(taken: Reservation, atMs: number): void {
  const why = ": the hold that this request took has ended meanwhile; send a request with a new request_id";
  if (!standingStates.has(taken.state)) throw illegalState(taken, S.CONFIRMED, why);
  refusePassed(taken, atMs, S.CONFIRMED);
}

function noPlaceElsewhere({ reservationId, siteId }: Reservation): PetakError {
  return new PetakError(
    "NO_PLACE_FREE",
    `no place is free at the requested sites, and reservation ${reservationId} has got a place at its own site meanwhile`,
    {
      metadata: { site_id: siteId },
      retryAfterMs: noPlaceRetryMs,
    },
  );
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
