import { OverflowFallback, type Reservation, ReservationState } from "@petak/protocol";

/**
 * A reservation without everything that transitions, credentials and bundles have added since it was made. This function must undo each of their changes; they
 * must not make changes that it cannot undo.
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
    siteChange: _siteChange,
    ...kept
  } = reservation;
  return {
    ...kept,
    compartmentId: "",
    redirectedTo: "",
    bundleId: "",
    delegations: [],
    revokedCredentials: [],
    labelCodes: [],
    revision: 1,
  };
}

/**
 * A reservation as in the first response to its request, so that this response need not be stored: held, or queued if it was queued first. For queued ones it is an
 * approximation, used once their stored response has expired: `queued_until` may have been extended, and after a promotion at another site operator and terms
 * are those of that site.
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
