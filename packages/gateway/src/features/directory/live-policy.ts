import { LiveReservations } from "@petak/protocol";

/** What a request says about the live reservations of the sites that it retires or moves. */
export function livePolicy({ liveReservations }: { liveReservations: LiveReservations }): LiveReservations {
  return liveReservations === LiveReservations.UNSPECIFIED ? LiveReservations.REFUSE : liveReservations;
}
