import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Allocator, HoldRequest } from "@petak/allocator";
import {
  CancellationReason,
  EventType,
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
import { classIndexOf } from "../domain/class-index.ts";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { changed, moveTo, refuseMove, refuseOver } from "../domain/move-on.ts";
import { participantParty } from "../domain/participant-party.ts";
import { reservationEvent } from "../domain/reservation-event.ts";
import { whatEndsWith } from "../domain/what-ends.ts";
import type { ParticipantCaller } from "../identity/index.ts";
import type { SiteCache } from "../stores/site-cache.ts";
import { createReservationChanges } from "./reservation-changes.ts";
import { summarise } from "./site-summary.ts";
import { homeRegion, type TakePlace } from "./take-place.ts";

/** What redirecting needs. */
export interface RedirectDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  takePlace: TakePlace;
  now: () => number;
  /** How long a place is held until it is confirmed, in ms. */
  holdDefaultMs: number;
}

/** How often a step starts anew when what it read has changed before it could write. */
const maxAttempts = 5;

/**
 * Makes what lets a parcel go to another place. Three steps, each of which is done once however often it is begun, so that a repetition after a crash
 * at any instant finishes the rest:
 *
 * 1. A place is held elsewhere: by the request's own handle, so that a repetition finds it.
 * 2. The old reservation ends, if it still can. Where it cannot, the new hold is given back, and the refusal says why.
 * 3. Where the old one was confirmed, so is the new one.
 *
 * Then the answer is kept. Between the first two both places are held; a hold that nobody comes back for ends by its clock.
 */
export function createRedirect({ allocator, siteCache, takePlace, now, holdDefaultMs }: RedirectDependencies) {
  const { findOwn, refuseOthers } = createReservationChanges(allocator);

  return async (request: RedirectRequest, caller: ParticipantCaller, signal: AbortSignal): Promise<RedirectResponse> => {
    const { requestId, reservationId } = request;
    const { participantId } = caller;
    const fingerprint = fingerprintOf(RedirectRequestSchema, request);
    const isFirst = !(await allocator.requestIds.claim(participantId, requestId, fingerprint));
    if (!isFirst) {
      const kept = await allocator.requestIds.kept(participantId, requestId);
      if (kept !== undefined) return fromBinary(RedirectResponseSchema, kept);
    }
    const old = await findOwn(reservationId, caller);
    refuseOthers(old, caller, "owner");
    const atMs = now();
    // A repetition may find it redirected already, by itself.
    if (isFirst || old.redirectedTo === "") {
      refuseMove(old, ReservationState.CANCELLED);
      refuseOver(old, atMs, ReservationState.CANCELLED);
    }
    const taken = await takeElsewhere(request, caller, old, { fingerprint, isFirst, atMs, signal });
    const ended = await endOld(request, caller, taken);
    const isConfirmed = old.depositUntil !== undefined;
    const reservation = isConfirmed ? await confirmNew(caller, taken.reservationId, old) : taken;
    const response = create(RedirectResponseSchema, { reservation, redirected: ended });
    const [site] = await siteCache.facts([{ siteId: reservation.siteId, revision: 0 }]);
    if (site !== undefined) response.site = summarise(site);
    const kept = await allocator.requestIds.keep(participantId, requestId, toBinary(RedirectResponseSchema, response));
    return fromBinary(RedirectResponseSchema, kept);
  };

  async function takeElsewhere(
    request: RedirectRequest,
    caller: ParticipantCaller,
    old: Reservation,
    { fingerprint, isFirst, atMs, signal }: { fingerprint: Buffer; isFirst: boolean; atMs: number; signal: AbortSignal },
  ): Promise<Reservation> {
    const { place } = request;
    if (place.case === "siteId" && place.value === old.siteId) {
      throw invalidField("site_id", "is the site of the reservation already", "redirect.to_another_site");
    }
    const asked = create(ReserveRequestSchema, {
      place,
      ...(old.parcel && { parcel: old.parcel }),
      purpose: old.purpose,
      ...(request.requirements && { requirements: request.requirements }),
      includeUnknown: request.includeUnknown,
      holdKind: old.holdKind,
    }) satisfies ReserveRequest;
    const deadlineMs = atMs + holdDefaultMs;
    const reservation: Reservation = newReservation(old, atMs, deadlineMs);
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
          recordedAtMs: atMs,
          relatedReservationId: old.reservationId,
        }),
    };
    return await takePlace(asked, hold, { isTest: old.isTest, nowMs: atMs, signal, exceptSiteId: old.siteId });
  }

  /** Ends the old reservation in favour of the new one, or gives the new one back where the old one cannot end any more. */
  async function endOld(request: RedirectRequest, caller: ParticipantCaller, taken: Reservation): Promise<Reservation> {
    const { reservationId } = request;
    const related = { actor: participantParty(caller), cancellationReason: request.reason, relatedReservationId: taken.reservationId };
    return await step(reservationId, async (before) => {
      if (before.redirectedTo === taken.reservationId) return before;
      const atMs = now();
      try {
        refuseMove(before, ReservationState.CANCELLED);
        refuseOver(before, atMs, ReservationState.CANCELLED);
      } catch (error) {
        await giveBack(taken.reservationId, caller);
        throw error;
      }
      const after = changed(before, atMs, { state: ReservationState.CANCELLED, redirectedTo: taken.reservationId });
      return { before, ...moveTo(before, after, { ...related, atMs }), after, ...whatEndsWith(before) };
    });
  }

  async function confirmNew(caller: ParticipantCaller, reservationId: string, old: Reservation): Promise<Reservation> {
    return await step(reservationId, async (before) => {
      // A repetition finds it confirmed, or farther on.
      if (before.state !== ReservationState.HELD || old.depositUntil === undefined) return before;
      const atMs = now();
      refuseOver(before, atMs, ReservationState.CONFIRMED);
      const after = changed(before, atMs, { state: ReservationState.CONFIRMED, depositUntil: old.depositUntil });
      return {
        before,
        ...moveTo(before, after, { actor: participantParty(caller), atMs }),
        after,
        deadlineMs: timestampMs(old.depositUntil),
        isAllowed: true,
      };
    });
  }

  async function giveBack(reservationId: string, caller: ParticipantCaller): Promise<void> {
    const facts = { actor: participantParty(caller), cancellationReason: CancellationReason.OTHER };
    await step(reservationId, async (before) => {
      if (before.state !== ReservationState.HELD) return before;
      const atMs = now();
      const after = changed(before, atMs, { state: ReservationState.CANCELLED });
      return { before, ...moveTo(before, after, { ...facts, atMs }), after, ...whatEndsWith(before) };
    });
  }

  type Step = Parameters<Allocator["reservations"]["move"]>[0] & { after: Reservation };

  /** Makes one change of a reservation, anew where it changed in between. A plan that gives the reservation itself has nothing to do. */
  async function step(
    reservationId: string,
    plan: (before: Reservation) => Promise<Omit<Step, "cell" | "classIndex"> | Reservation>,
  ): Promise<Reservation> {
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const before = await allocator.reservations.find(reservationId);
      const stored = before && (await allocator.sites.find(before.siteId));
      if (before === undefined || stored === undefined) throw new Error(`reservation ${reservationId} or its site is gone`);
      const planned = await plan(before);
      if ("reservationId" in planned) return planned;
      const outcome = await allocator.reservations.move({
        ...planned,
        cell: stored.cell,
        classIndex: classIndexOf(stored, before.sizeClassId),
      });
      if (outcome.tag === "done") return planned.after;
    }
    throw new PetakError("CONFLICT", `reservation ${reservationId} kept changing; send the same request again`, {
      metadata: { reservation_id: reservationId },
    });
  }
}

/** The reservation that takes the place of another, but for its id, site, operator and size class. */
function newReservation(old: Reservation, atMs: number, deadlineMs: number): Reservation {
  const {
    depositUntil: _depositUntil,
    collectUntil: _collectUntil,
    depositedAt: _depositedAt,
    collectedAt: _collectedAt,
    firstHoldExpiresAt: _firstHoldExpiresAt,
    overdueSince: _overdueSince,
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
    redirectedFrom: old.reservationId,
  };
}
