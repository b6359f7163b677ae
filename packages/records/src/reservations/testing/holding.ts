import { create } from "@bufbuild/protobuf";
import type { Position } from "@petak/allocator";
import { indexCellOf, regionOfCell } from "@petak/allocator";
import { plainQuery, smallParcel } from "@petak/allocator/testing";
import { type Event, EventSchema, HoldKind, type Reservation, ReservationSchema, ReservationState } from "@petak/protocol";
import type { SearchableRecords } from "../../testing/searchable-records.ts";

import { type HoldCandidate, storedCandidate } from "../candidates.ts";
import type { HoldOutcome, HoldRequest } from "../reserve.ts";

/** The participant that requests holds in the tests. */
export const participantId = "par_0000000000000009";

/** Fits the place of every test site. */
export const parcel = smallParcel;

/** A stored site as a candidate; its one size class is `M`. */
export async function resolveSite(records: SearchableRecords, siteId: string): Promise<HoldCandidate | undefined> {
  const stored = await records.sites.find(siteId);
  return stored && storedCandidate(stored, [{ index: 0, sizeClassId: "M" }]);
}

/** The request of a number: the same each time. */
export function request(origin: Position, number: number): HoldRequest {
  const reservation: Reservation = create(ReservationSchema, {
    participantId,
    state: ReservationState.HELD,
    revision: 1,
    holdKind: HoldKind.SOFT,
    partnerReference: `parcel-${number}`,
  });
  return {
    participantId,
    requestId: `00000000-0000-4000-8000-${String(number).padStart(12, "0")}`,
    fingerprint: Buffer.from(`fingerprint-${number}`.padEnd(16).slice(0, 16)),
    isBound: false,
    homeRegion: regionOfCell(indexCellOf(origin)),
    reservation,
    deadlineMs: 2_000_000_000_000,
    event: (reservationId: string): Event => create(EventSchema, { reservationId, participantId }),
  };
}

/** Finds and holds a place as a gateway does: at the nearest site or, if others took its last place, at one of the nearest four. */
export async function reserve(records: SearchableRecords, origin: Position, number: number, radiusM = 20_000): Promise<HoldOutcome> {
  const hold = request(origin, number);
  let outcome: HoldOutcome = { tag: "none" };
  for (const limit of [1, 4]) {
    const found = await records.nearest(plainQuery(origin, { parcel, limit, radiusM }));
    const candidates = found.map((candidate) => ({
      ...candidate,
      operatorId: "",
      classes: candidate.classes.map(({ index }) => ({ index, sizeClassId: "M" })),
    }));
    outcome = await records.holds.take(hold, candidates, (siteId) => resolveSite(records, siteId));
    if (outcome.tag !== "none") break;
  }
  return outcome;
}

function cancelled(before: Reservation): { after: Reservation; event: Event } {
  const after = { ...before, state: ReservationState.CANCELLED, revision: before.revision + 1 };
  return { after, event: create(EventSchema, { reservationId: before.reservationId, participantId }) };
}

/** Cancels a held reservation. Returns false if it is not held any more. */
export async function giveBack(records: SearchableRecords, reservationId: string): Promise<boolean> {
  const before = await records.reservations.find(reservationId);
  if (before === undefined || before.state !== ReservationState.HELD) return false;
  const { after, event } = cancelled(before);
  const place = { heldChange: -1, occupiedChange: 0 };
  const { tag } = await records.reservations.apply({ ...place, before, after, deadlineMs: null, events: [event] });
  return tag === "done";
}
