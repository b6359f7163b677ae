import { CancellationReason, EventType, type Reservation, ReservationState, type SiteChange } from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { participantParty } from "./parties.ts";
import { ownSiteChange } from "./site-service.ts";
import { amend, transitionTo, type WritingTransition } from "./transition.ts";

const S = ReservationState;

const statesBeforeDeposit: ReadonlySet<ReservationState> = new Set([S.QUEUED, S.HELD, S.CONFIRMED]);

/** Whether a reservation waits for a place or has one, and its parcel is not inside yet. */
export function isLiveBefore({ state }: Pick<Reservation, "state">): boolean {
  return statesBeforeDeposit.has(state);
}

/** Whether a reservation was made on a revision of its site's facts or a later one, or its parties were told of it. */
export function knowsSiteRevision(reservation: Pick<Reservation, "siteId" | "siteRevision" | "siteChange">, revision: number): boolean {
  return Math.max(reservation.siteRevision, ownSiteChange(reservation)?.siteRevision ?? 0) >= revision;
}

/**
 * Tells the parties of a change of the site by its operator. The reservation keeps it, so that they are told once.
 *
 * @param told what the event tells. Default: what the reservation keeps
 */
export function siteChanged(before: Reservation, siteChange: SiteChange, atMs: number, told: SiteChange = siteChange): WritingTransition {
  const actor = participantParty({ participantId: before.operatorId });
  return amend(before, { siteChange }, { type: EventType.RESERVATION_SITE_CHANGED, actor, siteChange: told }, atMs);
}

/**
 * Cancels a reservation together with a change of its site by the operator, free of charge.
 *
 * @throws {PetakError} ILLEGAL_STATE if the parcel is inside or the reservation has ended.
 */
export function cancelWithSite(before: Reservation, change: SiteChange, atMs: number): WritingTransition {
  const siteChange = { ...change, canBeKept: false, cancelled: true };
  const facts = {
    actor: participantParty({ participantId: before.operatorId }),
    cancellationReason: CancellationReason.SITE_PROBLEM,
    siteChange,
  };
  return { ...transitionTo(before, { state: S.CANCELLED, siteChange }, facts, atMs), ...closeAccess(before, atMs) };
}

/** Whether a reservation was cancelled with a change of its site, and nothing replaces it yet. */
export function isCancelledWithSite({ state, siteChange, redirectedTo }: Reservation): boolean {
  return state === S.CANCELLED && siteChange?.cancelled === true && redirectedTo === "";
}
