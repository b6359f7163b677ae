import { durationMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Party, type Reservation, ReservationState } from "@petak/protocol";
import { refusePassed } from "./deadlines.ts";
import { freeChangeUntil } from "./fees.ts";
import type { FullTerms } from "./terms.ts";
import { transitionTo, type WritingTransition } from "./transition.ts";
import { requireTransition } from "./transitions.ts";

export interface ConfirmFacts {
  actor: Party;
  /** The terms of the reservation. */
  terms: FullTerms;
  /** Time for the deposit from now, in ms; limited by the terms. */
  depositWithinMs: number;
  /** The codes on the parcel's label. Empty: those that were stated before. */
  labelCodes: readonly string[];
}

/**
 * Confirms a hold: the depositor will come.
 *
 * @throws {PetakError} ILLEGAL_STATE if the reservation is not held, or its hold has expired.
 */
export function confirm(before: Reservation, facts: ConfirmFacts, atMs: number): WritingTransition {
  requireTransition(before, ReservationState.CONFIRMED);
  refusePassed(before, atMs, ReservationState.CONFIRMED);
  const confirmed = confirmUntil(before, atMs + facts.depositWithinMs, facts, atMs);
  return facts.labelCodes.length === 0 ? confirmed : { ...confirmed, after: { ...confirmed.after, labelCodes: [...facts.labelCodes] } };
}

/** Confirms a hold. @param wantedMs the deadline for the deposit, in ms since 1970; limited by the terms */
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
