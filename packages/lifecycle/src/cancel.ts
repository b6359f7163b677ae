import { CancellationReason, type Party, type Reservation, ReservationState } from "@petak/protocol";
import { closeAccess } from "./end.ts";
import { lateChangeFee } from "./fees.ts";
import type { FullTerms } from "./terms.ts";
import { transitionTo, type WritingTransition } from "./transition.ts";

/** The facts of giving up a reservation. */
export interface CancelFacts {
  actor: Party;
  /** The terms of the reservation. */
  terms: FullTerms;
  reason: CancellationReason;
  /** The reservation that replaces it, where it is redirected. */
  redirectedTo?: string;
}

/**
 * Gives up a reservation before the deposit. Where it is confirmed, its terms may have a fee for that.
 *
 * @throws {PetakError} ILLEGAL_STATE once the parcel is inside, or the reservation has ended.
 */
export function cancel(before: Reservation, { actor, terms, reason, redirectedTo }: CancelFacts, atMs: number): WritingTransition {
  const change = {
    state: ReservationState.CANCELLED,
    ...(redirectedTo === undefined ? {} : { redirectedTo }),
    ...lateChangeFee(before, terms, actor, atMs),
  };
  const facts = { actor, cancellationReason: reason, ...(redirectedTo === undefined ? {} : { relatedReservationId: redirectedTo }) };
  return { ...transitionTo(before, change, facts, atMs), ...closeAccess(before, atMs) };
}

/** Gives up a reservation of which its owner never heard: nothing is due for it. */
export function cancelUnseen(before: Reservation, { actor }: Pick<CancelFacts, "actor">, atMs: number): WritingTransition {
  const facts = { actor, cancellationReason: CancellationReason.OTHER };
  return { ...transitionTo(before, { state: ReservationState.CANCELLED }, facts, atMs), ...closeAccess(before, atMs) };
}
