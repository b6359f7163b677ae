import { CancellationReason, type Party, type Reservation, ReservationState, type Site } from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { lateChangeFee } from "./fees.ts";
import type { FullTerms } from "./terms.ts";
import { transitionTo, type WritingTransition } from "./transition.ts";

export interface CancelFacts {
  actor: Party;
  /** The terms of the reservation. */
  terms: FullTerms;
  /** Its site as it is now. */
  site: Pick<Site, "lifecycle">;
  reason: CancellationReason;
  /** The reservation that replaces it, if it is redirected. */
  redirectedTo?: string;
}

/**
 * Cancels a reservation before the deposit. After the confirmation its terms may charge a fee.
 *
 * @throws {PetakError} ILLEGAL_STATE if the parcel is inside or the reservation has ended.
 */
export function cancel(before: Reservation, { actor, terms, site, reason, redirectedTo }: CancelFacts, atMs: number): WritingTransition {
  const change = {
    state: ReservationState.CANCELLED,
    ...(redirectedTo === undefined ? {} : { redirectedTo }),
    ...lateChangeFee(before, terms, { actor, site }, atMs),
  };
  const facts = { actor, cancellationReason: reason, ...(redirectedTo === undefined ? {} : { relatedReservationId: redirectedTo }) };
  return { ...transitionTo(before, change, facts, atMs), ...closeAccess(before, atMs) };
}

/** Cancels a reservation that was never returned to its owner, without a fee. */
export function cancelUnseen(before: Reservation, { actor }: Pick<CancelFacts, "actor">, atMs: number): WritingTransition {
  const facts = { actor, cancellationReason: CancellationReason.OTHER };
  return { ...transitionTo(before, { state: ReservationState.CANCELLED }, facts, atMs), ...closeAccess(before, atMs) };
}
