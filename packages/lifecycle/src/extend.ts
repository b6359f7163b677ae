import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { EventType, invalidField, type Party, PetakError, type Reservation, ReservationState } from "@petak/protocol";
import { type Deadline, deadlines, limitInForce, refusePassed } from "./deadlines.ts";
import { extensionFee } from "./fees.ts";
import { stateName } from "./state.ts";
import type { FullTerms } from "./terms.ts";
import { amend, type WritingTransition } from "./transition.ts";
import { illegalState } from "./transitions.ts";

const S = ReservationState;

/** The facts of an extension. */
export interface ExtendFacts {
  actor: Party;
  /** The limit that is wanted. */
  until: Timestamp;
  /** The terms of the reservation. */
  terms: FullTerms;
  /** How long a place is held at most, from when the hold was taken, in ms. */
  holdMaxMs: number;
}

/** How long a reservation can wait, from when it was made, in ms: as long as Reserve allows. */
const waitMaxMs = 7 * 86_400_000;

/**
 * Moves the limit in force to the time wanted, or as far as it can be moved. The owner can extend in every state that has a limit, the site's operator
 * once the parcel is inside.
 *
 * @throws {PetakError} ILLEGAL_STATE where there is no limit to move, or it has passed; INVALID_FIELD where the new one is no later;
 *   EXTENSION_EXHAUSTED where it cannot be moved any farther.
 */
export function extend(before: Reservation, facts: ExtendFacts, atMs: number): WritingTransition {
  const { actor, terms, until } = facts;
  const { state } = before;
  refusePassed(before, atMs, state);
  const { field, name, nowMs, mostMs } = extensible(before, facts, atMs);
  const wantedMs = timestampMs(until);
  // The parcel may be overdue: its new limit must not have passed as well.
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
    // A PIN to collect opens until then too, and so does its bundle's.
    ...(isDeposited ? { pin: { expiresAtS: Math.floor(untilMs / 1000) } } : {}),
  };
}

/** A limit in force that the caller may move: where it is, and the last time to which it can be moved, in ms. */
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
  if (timestamp === undefined) throw new Error("a reservation without the limits of its state");
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
