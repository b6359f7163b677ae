import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Event, Reservation, ReservationState } from "@petak/protocol";
import { deadlineMsOf } from "./deadlines.ts";
import { type EventFacts, reservationEvent } from "./events.ts";
import { requireTransition } from "./transitions.ts";

/** A stored PIN: its hash and validity. */
export interface PinEntry {
  /** HMAC-SHA256 of the PIN under the site's key: 32 bytes. */
  hash: Uint8Array;
  /** Start of its validity, in s since 1970. */
  notBeforeS: number;
  /** End of its validity, in s since 1970. */
  expiresAtS: number;
  /** The generation of the site's key. Default 0. A new PIN of another generation than the site's is a conflict. */
  keyGeneration?: number;
}

/** A change of a reservation and everything that must be written atomically with it. */
export interface Transition {
  /** The reservation as it was read. */
  before: Reservation;
  /** The reservation to write, with the next revision; undefined if only events are recorded. */
  after?: Reservation;
  /** Changes of the counts of held and of occupied places of its size class. */
  heldChange: number;
  occupiedChange: number;
  /** When the parcel went in or came out, in ms. Required if `occupiedChange` is not 0. */
  movedAtMs?: number;
  /** When the clock next changes it, in ms since 1970; null: never; undefined: unchanged. */
  deadlineMs?: number | null;
  /** Whether its site's agent gets allowances for it from now on; undefined: unchanged. */
  isAllowed?: boolean;
  /**
   * The new PIN; or a new end of the present PIN, in s since 1970, which also applies to its bundle's PIN if that ends earlier, up to the longest validity;
   * null: the PIN ends; undefined: unchanged.
   */
  pin?: PinEntry | { expiresAtS: number } | null;
  /** Events to append to the record. */
  events: readonly Event[];
}

/** A transition that writes the reservation. */
export type WritingTransition = Transition & { after: Reservation };

/** Facts of the event of a change. */
export interface ChangeFacts
  extends Pick<
    EventFacts,
    "actor" | "cancellationReason" | "relatedReservationId" | "proof" | "bundleId" | "refusals" | "doubt" | "checks" | "siteChange"
  > {
  /** When it happened, in ms, by the clock at the place. Default: when it is recorded. */
  occurredAtMs?: number;
}

/** Facts of the event of a change that keeps the state. */
export type AmendFacts = ChangeFacts & Pick<EventFacts, "type" | "statesFee">;

/** A reservation with fields changed at a time, in ms, and its next revision. */
export function changed(before: Reservation, atMs: number, change: Partial<Reservation>): Reservation {
  return { ...before, ...change, revision: before.revision + 1, updatedAt: timestampFromMs(atMs) };
}

/**
 * Changes the state of a reservation according to the table of transitions.
 *
 * @param change the new state, and the other fields that change with it
 * @param atMs when the change is recorded, in ms
 * @throws {PetakError} ILLEGAL_STATE if there is no such transition.
 */
export function transitionTo(
  before: Reservation,
  change: Partial<Reservation> & { state: ReservationState },
  facts: ChangeFacts,
  atMs: number,
): WritingTransition {
  const { heldChange, occupiedChange, event: type } = requireTransition(before, change.state);
  const after = changed(before, atMs, change);
  return {
    before,
    after,
    heldChange,
    occupiedChange,
    deadlineMs: deadlineMsOf(after),
    events: [
      reservationEvent({
        ...recordedAt(facts, atMs),
        type,
        reservation: after,
        statesFee: before.feeDue === undefined,
        stateBefore: before.state,
      }),
    ],
  };
}

/** Changes fields of a reservation without a change of state. @param atMs when the change is recorded, in ms */
export function amend(before: Reservation, change: Partial<Reservation>, facts: AmendFacts, atMs: number): WritingTransition {
  const after = changed(before, atMs, change);
  const event = reservationEvent({ ...recordedAt(facts, atMs), reservation: after });
  return { before, after, heldChange: 0, occupiedChange: 0, events: [event] };
}

/** Records an event about an unchanged reservation. @param atMs when it is recorded, in ms */
export function record(before: Reservation, facts: AmendFacts, atMs: number): Transition {
  const event = reservationEvent({ ...recordedAt(facts, atMs), reservation: before });
  return { before, heldChange: 0, occupiedChange: 0, events: [event] };
}

function recordedAt<Facts extends ChangeFacts>(facts: Facts, atMs: number): Facts & { occurredAtMs: number; recordedAtMs: number } {
  return { ...facts, occurredAtMs: facts.occurredAtMs ?? atMs, recordedAtMs: atMs };
}
