import { durationMs, type Timestamp, timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { type ExtendRequest, invalidField, PetakError, type Reservation, ReservationState } from "@petak/protocol";
import { changed, illegalState, refuseOver } from "./move-on.ts";
import { stateName } from "./moves.ts";
import { extensionFee, type FullTerms } from "./terms.ts";

/** How far limits can be moved. */
export interface ExtensionLimits {
  /** How long a place is held at most, from when the hold was taken, in ms. */
  holdMaxMs: number;
  /** The reservation's terms. */
  terms: FullTerms;
}

/** A limit that is moved. */
export interface Extension {
  after: Reservation;
  /** The new limit, in ms. */
  untilMs: number;
  /** Whether a PIN to collect is to open until then too, and its bundle's. */
  movesPin: boolean;
}

/** How long a reservation can wait, from when it was made, in ms: as long as Reserve lets one. */
const waitMaxMs = 7 * 86_400_000;

/**
 * The reservation with the limit that is in force moved to where the request wants it, or as far as it can be.
 *
 * @throws {PetakError} ILLEGAL_STATE where there is no limit to move, or it has passed; INVALID_FIELD where the new one is no later;
 *   EXTENSION_EXHAUSTED where it cannot be moved any farther.
 */
export function extensionOf(
  before: Reservation,
  caller: { participantId: string },
  { until }: ExtendRequest,
  atMs: number,
  limits: ExtensionLimits,
): Extension {
  if (until === undefined) throw new TypeError("validation let an empty field through");
  refuseOver(before, atMs, before.state);
  const { name, nowMs, mostMs } = limitInForce(before, caller, atMs, limits);
  const wantedMs = timestampMs(until);
  // A parcel may be overdue: its new limit is not to have passed as well.
  const afterMs = Math.max(nowMs, atMs);
  if (wantedMs <= afterMs) {
    throw invalidField("until", `must be later than now and than ${name}, which is ${isoTime(nowMs)}`, "extend.until_is_later");
  }
  const untilMs = Math.min(wantedMs, mostMs);
  if (untilMs <= afterMs) throw exhausted(before, name, nowMs);
  const isHeld = before.state === ReservationState.HELD;
  const after = changed(before, atMs, {
    [fieldOf[name]]: timestampFromMs(untilMs),
    overdueSince: undefined,
    ...(before.state === ReservationState.DEPOSITED ? extensionFee(before, limits.terms, caller, untilMs) : {}),
    ...(isHeld && before.firstHoldExpiresAt === undefined && before.holdExpiresAt !== undefined
      ? { firstHoldExpiresAt: before.holdExpiresAt }
      : {}),
  });
  return { after, untilMs, movesPin: before.state === ReservationState.DEPOSITED };
}

const fieldOf = {
  queued_until: "queuedUntil",
  hold_expires_at: "holdExpiresAt",
  deposit_until: "depositUntil",
  collect_until: "collectUntil",
} as const;

interface LimitInForce {
  name: keyof typeof fieldOf;
  nowMs: number;
  mostMs: number;
}

function limitInForce(
  before: Reservation,
  { participantId }: { participantId: string },
  atMs: number,
  { holdMaxMs, terms }: ExtensionLimits,
): LimitInForce {
  const { state, createdAt, queuedUntil, holdExpiresAt, depositUntil, collectUntil, depositedAt } = before;
  const isOwner = before.participantId === participantId;
  if (state === ReservationState.QUEUED && isOwner) {
    return { name: "queued_until", nowMs: ms(queuedUntil), mostMs: ms(createdAt) + waitMaxMs };
  }
  if (state === ReservationState.HELD && isOwner) {
    return { name: "hold_expires_at", nowMs: ms(holdExpiresAt), mostMs: ms(createdAt) + holdMaxMs };
  }
  if (state === ReservationState.CONFIRMED && isOwner) {
    return { name: "deposit_until", nowMs: ms(depositUntil), mostMs: atMs + durationMs(terms.noShowAfter) };
  }
  if (state === ReservationState.DEPOSITED) {
    return { name: "collect_until", nowMs: ms(collectUntil), mostMs: ms(depositedAt) + durationMs(terms.longestStorage) };
  }
  throw illegalState(before, state, isOwner ? ": it has no limit to extend" : ": its operator can extend it once the parcel is inside");
}

function ms(timestamp: Timestamp | undefined): number {
  if (timestamp === undefined) throw new Error("a reservation without the limits of its state");
  return timestampMs(timestamp);
}

function exhausted({ reservationId, state }: Reservation, name: string, nowMs: number): PetakError {
  return new PetakError("EXTENSION_EXHAUSTED", `${name} of reservation ${reservationId} is ${isoTime(nowMs)} and can be no later`, {
    metadata: { reservation_id: reservationId, state: stateName(state), limit: name, until: isoTime(nowMs), subject: reservationId },
  });
}

function isoTime(atMs: number): string {
  return new Date(atMs).toISOString();
}
