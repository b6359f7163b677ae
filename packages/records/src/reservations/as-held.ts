import { OverflowEnd, type Reservation, ReservationState } from "@petak/protocol";

/**
 * A reservation as it was when its hold was taken: what the moves since then have added is taken away. So a repeated Reserve gets its first
 * answer without a copy of it being kept. Whatever a move changes must be taken back here; what cannot be must not be changed by one.
 */
export function asHeld(reservation: Reservation): Reservation {
  const {
    depositUntil: _depositUntil,
    collectUntil: _collectUntil,
    depositedAt: _depositedAt,
    collectedAt: _collectedAt,
    overdueSince: _overdueSince,
    feeDue: _feeDue,
    freeChangeUntil: _freeChangeUntil,
    recalledAt: _recalledAt,
    chain: _chain,
    firstHoldExpiresAt,
    ...kept
  } = reservation;
  if (reservation.queuedSince !== undefined) return asQueued(kept);
  const held: Reservation = { ...kept, state: ReservationState.HELD, revision: 1, compartmentId: "", redirectedTo: "" };
  held.bundleId = "";
  held.delegations = [];
  held.revokedCredentials = [];
  if (firstHoldExpiresAt !== undefined) held.holdExpiresAt = firstHoldExpiresAt;
  if (reservation.createdAt !== undefined) held.updatedAt = reservation.createdAt;
  return held;
}

/**
 * As it was when it came to wait. Its first answer is remembered as long as answers are; after that, this is what is left of it: where it was
 * promoted at another site, it names that one's operator.
 */
function asQueued({ holdExpiresAt: _holdExpiresAt, ...kept }: Reservation): Reservation {
  const [siteId = kept.siteId] = kept.queuedSiteIds;
  const first = {
    siteId,
    sizeClassId: "",
    compartmentId: "",
    heldCompartmentId: "",
    redirectedTo: "",
    overflowEnd: OverflowEnd.UNSPECIFIED,
  };
  const queued: Reservation = { ...kept, ...first, state: ReservationState.QUEUED, revision: 1 };
  if (kept.createdAt !== undefined) queued.updatedAt = kept.createdAt;
  return queued;
}
