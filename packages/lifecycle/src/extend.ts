import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { EventType, invalidField, type Party, PetakError, type Reservation, ReservationState } from "@petak/protocol";
import { type Deadline, deadlines, limitInForce, refusePassed } from "./deadlines.ts";
import { extensionFee } from "./fees.ts";
import { stateName } from "./state.ts";
import type { FullTerms } from "./terms.ts";
import { amend, type WritingTransition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

const S = ReservationState;

export interface ExtendFacts {
  actor: Party;
  /** The requested deadline. */
  until: Timestamp;
  /** The terms of the reservation. */
  terms: FullTerms;
  /** Longest hold, from when it was taken, in ms. */
  holdMaxMs: number;
}

/** Longest wait, from when the reservation was made, in ms: the limit of Reserve. */
const waitMaxMs = 7 * 86_400_000;

/**
 * Moves the deadline in force to the requested time, or as far as allowed. The owner can extend in every state that has a deadline, the site's operator after
 * the deposit.
 *
 * @throws {PetakError} ILLEGAL_STATE if there is no deadline or it has passed; INVALID_FIELD if the new one is not later; EXTENSION_EXHAUSTED if it cannot be
 *   moved any farther.
 */
export function extend(before: Reservation, facts: ExtendFacts, atMs: number): WritingTransition {
  const { actor, terms, until } = facts;
  const { state } = before;
  refusePassed(before, atMs, state);
  const { field, name, nowMs, mostMs } = extensible(before, facts, atMs);
  const wantedMs = timestampMs(until);
  // The parcel may be overdue; the new deadline must be in the future.
  const afterMs = Math.max(nowMs, atMs);
  if (wantedMs <= afterMs) {
    throw invalidField("until", `must be later than now and than ${name} (${isoTime(nowMs)})`, "extend.until_is_later");
  }
  const untilMs = Math.min(wantedMs, mostMs);
  if (untilMs <= afterMs) throw exhausted(before, name, nowMs);
  const isDeposited = state === S.DEPOSITED;
  const isFirstOfHold = state === S.HELD && before.firstHoldExpiresAt === undefined && before.holdExpiresAt !== undefined;
  const change = {
    [field]: timestampFromMs(untilMs),
    overdueSince: undefined,
    ...(isDeposited ? extensionFee(before, terms, actor, untilMs) : {}),
    ...(isFirstOfHold ? { firstHoldExpiresAt: before.holdExpiresAt } : {}),
  };
  return {
    ...amend(before, change, { type: EventType.RESERVATION_EXTENDED, actor, statesFee: true }, atMs),
    deadlineMs: untilMs,
    // Extends the reservation's PIN to collect, and that of its bundle.
    ...(isDeposited ? { isAllowed: true, pin: { expiresAtS: Math.floor(untilMs / 1000) } } : {}),
  };
}

/** A deadline that the caller may move, with its present and its latest time, in ms. */
type Extensible = Pick<Deadline, "field" | "name"> & { nowMs: number; mostMs: number };

function extensible(before: Reservation, { actor, terms, holdMaxMs }: ExtendFacts, atMs: number): Extensible {
  const { state, createdAt, depositedAt } = before;
  const isOwner = before.participantId === actor.participantId;
  const deadline = deadlines.get(state);
  if (deadline === undefined || (!isOwner && state !== S.DEPOSITED)) {
    const why = isOwner ? ": it has no deadline to extend" : ": the site's operator can extend it only after the deposit";
    throw illegalState(before, state, why);
  }
  const latestMs = (): number => {
    if (state === S.QUEUED) return ms(createdAt) + waitMaxMs;
    if (state === S.HELD) return ms(createdAt) + holdMaxMs;
    if (state === S.CONFIRMED) return atMs + durationMs(terms.noShowAfter);
    return ms(depositedAt) + durationMs(terms.longestStorage);
  };
  return { field: deadline.field, name: deadline.name, nowMs: ms(limitInForce(before)), mostMs: latestMs() };
}

function ms(timestamp: Timestamp | undefined): number {
  if (timestamp === undefined) throw new Error("a reservation lacks the deadline of its state");
  return timestampMs(timestamp);
}

function exhausted({ reservationId, state }: Reservation, name: string, nowMs: number): PetakError {
  return new PetakError("EXTENSION_EXHAUSTED", `${name} of reservation ${reservationId} is ${isoTime(nowMs)} and cannot be any later`, {
    metadata: { reservation_id: reservationId, state: stateName(state), limit: name, until: isoTime(nowMs), subject: reservationId },
  });
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
