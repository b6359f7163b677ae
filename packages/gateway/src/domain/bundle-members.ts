import { create } from "@bufbuild/protobuf";
import { PetakError, type Reservation, ReservationSchema, ReservationState } from "@petak/protocol";
import { hasEnded } from "./has-ended.ts";
import { endOfSecondMs, isCollectable } from "./issue-rules.ts";
import { illegalState, refuseOver } from "./move-on.ts";

/** States in which a reservation may join a bundle: its parcel lies at the site, or may come. */
const joiningStates: ReadonlySet<ReservationState> = new Set([
  ReservationState.HELD,
  ReservationState.CONFIRMED,
  ReservationState.DEPOSITED,
]);

/** The reservations for which a credential to collect can be issued. Throws ILLEGAL_STATE where there is none. */
export function collectableOf(reservations: readonly Reservation[], bundleId: string, atMs: number): Reservation[] {
  const collectable = reservations.filter((reservation) => isCollectable(reservation, atMs));
  if (collectable.length > 0) return collectable;
  const first = reservations[0] ?? create(ReservationSchema, { reservationId: bundleId });
  // What the clock has ended is told of as such, as for a reservation alone.
  refuseOver(first, endOfSecondMs(atMs), ReservationState.COLLECTED);
  throw illegalState(first, ReservationState.COLLECTED, `: nothing of bundle ${bundleId} can be collected`);
}

/** Refuses reservations that do not go together in a bundle. */
export function refuseMismatch(reservations: readonly Reservation[], bundleId: string, siteId: string, atMs: number): void {
  const [first] = reservations;
  for (const reservation of reservations) {
    if (reservation.siteId !== siteId) throw mismatch(reservation, "SITE", `is at another site than '${siteId}'`);
    const isSameCollector =
      reservation.collector?.kind === first?.collector?.kind && reservation.collector?.participantId === first?.collector?.participantId;
    if (!isSameCollector) throw mismatch(reservation, "COLLECTOR", `has another collector than '${first?.reservationId}'`);
    if (reservation.bundleId === bundleId) continue;
    if (reservation.bundleId !== "" && !hasEnded(reservation)) {
      throw mismatch(reservation, "OTHER_BUNDLE", `belongs to bundle '${reservation.bundleId}'; take it out of that one first`);
    }
    const why = ": only what can still be collected joins a bundle";
    if (!joiningStates.has(reservation.state)) throw illegalState(reservation, ReservationState.COLLECTED, why);
    refuseOver(reservation, atMs, ReservationState.COLLECTED);
  }
}

function mismatch({ reservationId }: Reservation, which: "SITE" | "COLLECTOR" | "OTHER_BUNDLE", what: string): PetakError {
  return new PetakError("BUNDLE_MISMATCH", `reservation ${reservationId} ${what}`, {
    metadata: { reservation_id: reservationId, mismatch: which, subject: reservationId },
  });
}
