import { OverflowFallback, type Reservation, ReservationState } from "@petak/protocol";

/**
 * A reservation without everything that transitions, credentials and bundles have added since it was made. Whatever they change must be undone here;
 * what cannot be undone, they must not change.
 */
export function withoutHistory(reservation: Reservation): Reservation {
  const {
    depositUntil: _depositUntil,
    collectUntil: _collectUntil,
    depositedAt: _depositedAt,
    collectedAt: _collectedAt,
    recalledAt: _recalledAt,
    overdueSince: _overdueSince,
    feeDue: _feeDue,
    freeChangeUntil: _freeChangeUntil,
    firstHoldExpiresAt: _firstHoldExpiresAt,
    chain: _chain,
    ...kept
  } = reservation;
  return { ...kept, compartmentId: "", redirectedTo: "", bundleId: "", delegations: [], revokedCredentials: [], revision: 1 };
}

/**
 * A reservation as it was when its request was answered first, so that the answer to a repetition need not be stored: held, or waiting where it came to
 * wait. For what waited that is an approximation, for when its stored answer has gone: `queued_until` is as it was extended last, and after a promotion
 * at another site the operator and the terms are those of that site.
 */
export function asMade(reservation: Reservation): Reservation {
  const made = withoutHistory(reservation);
  if (made.createdAt !== undefined) made.updatedAt = made.createdAt;
  if (made.queuedSince !== undefined) return asQueued(made);
  made.state = ReservationState.HELD;
  if (reservation.firstHoldExpiresAt !== undefined) made.holdExpiresAt = reservation.firstHoldExpiresAt;
  return made;
}

function asQueued({ holdExpiresAt: _holdExpiresAt, ...kept }: Reservation): Reservation {
  const [siteId = kept.siteId] = kept.queuedSiteIds;
  const first = { siteId, sizeClassId: "", heldCompartmentId: "", overflowFallback: OverflowFallback.UNSPECIFIED };
  return { ...kept, ...first, state: ReservationState.QUEUED };
}
