import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type CancellationReason, type Party, PetakError, type RedirectRequest, type Reservation, ReservationState } from "@petak/protocol";
import { withoutHistory } from "./as-made.ts";
import { cancel, cancelUnseen } from "./cancel.ts";
import { confirmUntil } from "./confirm.ts";
import { refusePassed } from "./deadlines.ts";
import { isBoundByPolicy, type PolicyCaller, wantedSiteOf } from "./overflow.ts";
import type { FullTerms } from "./terms.ts";
import type { Transition, WritingTransition } from "./transition.ts";
import { findTransition, illegalState, requireTransition } from "./transitions.ts";

const S = ReservationState;

/** The states of a new reservation for which an old one may be given up. */
const standingStates: ReadonlySet<ReservationState> = new Set([S.QUEUED, S.HELD, S.CONFIRMED]);

/** How long to wait before asking again where nothing is free, in ms: places come free when parcels are collected. */
const noPlaceRetryMs = 60_000;

/**
 * Refuses to redirect what has ended, or is inside already.
 *
 * @throws {PetakError} ILLEGAL_STATE.
 */
export function refuseRedirect(old: Reservation, atMs: number): void {
  requireTransition(old, S.CANCELLED);
  refusePassed(old, atMs, S.CANCELLED);
}

/**
 * The reservation that replaces another, held at a place elsewhere, but for what depends on the place: id, site, operator, size class, terms and held
 * compartment.
 */
export function replacement(
  old: Reservation,
  { request, caller, holdMs }: { request: Pick<RedirectRequest, "overflowPolicy" | "place">; caller: PolicyCaller; holdMs: number },
  atMs: number,
): Reservation {
  const { queuedUntil: _queuedUntil, queuedSince: _queuedSince, ...kept } = withoutHistory(old);
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
    redirectedFrom: old.reservationId,
    queuePosition: 0,
    queuedSiteIds: [],
  };
  if (request.overflowPolicy !== undefined) reservation.overflowPolicy = request.overflowPolicy;
  if (reservation.overflowPolicy === undefined) return reservation;
  // Where the consumer's side redirects, it wants the parcel there from now on.
  const wantedNow = request.place.case === "siteId" ? request.place.value : "";
  reservation.wantedSiteId = isBoundByPolicy(old, caller) ? wantedSiteOf(old) : wantedNow;
  return reservation;
}

/** The facts by which a redirection is brought to its end. */
export interface RedirectFacts {
  actor: Party;
  reason: CancellationReason;
  /** The terms of the old reservation, and of the new one. */
  oldTerms: FullTerms;
  takenTerms: FullTerms;
}

/** The next step of a redirection. */
export type RedirectStep =
  /** Nothing is left to be done. */
  | { tag: "done" }
  /** The new reservation is confirmed as the old one is. */
  | { tag: "confirm"; transition: Transition }
  /** The old one ends in favour of the new one: the last step. */
  | { tag: "end"; transition: WritingTransition }
  /** The new one is given back, unless it has ended already, and the refusal is the answer. */
  | { tag: "give back"; transition: Transition | undefined; refusal: PetakError };

/**
 * The next step of a redirection, by what the old and the new reservation are now. Each step is done once, however often the redirection is begun.
 *
 * @throws {PetakError} ILLEGAL_STATE where the new reservation has ended meanwhile: the old one stays as it is.
 */
export function nextRedirectStep(old: Reservation, taken: Reservation, facts: RedirectFacts, atMs: number): RedirectStep {
  const { actor, reason, oldTerms, takenTerms } = facts;
  if (old.redirectedTo === taken.reservationId) return { tag: "done" };
  const refusal = refusalOf(() => refuseRedirect(old, atMs));
  if (refusal !== undefined) return giveBack(taken, actor, refusal, atMs);
  // The old one has got its place meanwhile, which is not given up for one in a queue.
  if (taken.state === S.QUEUED && old.state !== S.QUEUED) return giveBack(taken, actor, noPlaceElsewhere(old), atMs);
  refuseGone(taken, atMs);
  if (old.state === S.CONFIRMED && taken.state === S.HELD) {
    const wantedMs = old.depositUntil === undefined ? Number.POSITIVE_INFINITY : timestampMs(old.depositUntil);
    return { tag: "confirm", transition: confirmUntil(taken, wantedMs, { actor, terms: takenTerms }, atMs) };
  }
  const transition = cancel(old, { actor, terms: oldTerms, reason, redirectedTo: taken.reservationId }, atMs);
  return { tag: "end", transition };
}

function giveBack(taken: Reservation, actor: Party, refusal: PetakError, atMs: number): RedirectStep {
  const canEnd = findTransition(taken.state, S.CANCELLED) !== undefined;
  return { tag: "give back", transition: canEnd ? cancelUnseen(taken, { actor }, atMs) : undefined, refusal };
}

/** Refuses to give up a place for one that was lost because nobody came back for it in time. */
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
