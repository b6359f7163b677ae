import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Party, type Reservation, ReservationState } from "@petak/protocol";
import { refusePassed } from "./deadlines.ts";
import { freeChangeUntil } from "./fees.ts";
import type { FullTerms } from "./terms.ts";
import { transitionTo, type WritingTransition } from "./transition.ts";
import { requireTransition } from "./transitions.ts";

/** The facts of a confirmation. */
export interface ConfirmFacts {
  actor: Party;
  /** The terms of the reservation. */
  terms: FullTerms;
  /** How long the depositor has from now, in ms; shortened to what the terms allow. */
  depositWithinMs: number;
}

/**
 * Confirms a hold: the depositor will come.
 *
 * @throws {PetakError} ILLEGAL_STATE where the reservation is not held, or not any more.
 */
export function confirm(before: Reservation, facts: ConfirmFacts, atMs: number): WritingTransition {
  requireTransition(before, ReservationState.CONFIRMED);
  refusePassed(before, atMs, ReservationState.CONFIRMED);
  return confirmUntil(before, atMs + facts.depositWithinMs, facts, atMs);
}

/** Confirms a hold with a limit for the deposit, in ms, or the last that the terms allow where that is earlier. */
export function confirmUntil(
  before: Reservation,
  wantedMs: number,
  { actor, terms }: Pick<ConfirmFacts, "actor" | "terms">,
  atMs: number,
): WritingTransition {
  const untilMs = Math.min(wantedMs, atMs + durationMs(terms.noShowAfter));
  const freeUntil = freeChangeUntil(terms, atMs, untilMs);
  const change = {
    state: ReservationState.CONFIRMED,
    depositUntil: timestampFromMs(untilMs),
    ...(freeUntil && { freeChangeUntil: freeUntil }),
  };
  return { ...transitionTo(before, change, { actor }, atMs), isAllowed: true };
}
