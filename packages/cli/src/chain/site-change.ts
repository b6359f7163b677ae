import { type Reservation, ReservationState, type SiteChange, SiteChangeKind } from "@petak/protocol";
import { nameIn } from "./name-in.ts";

const live: ReadonlySet<ReservationState> = new Set([
  ReservationState.QUEUED,
  ReservationState.HELD,
  ReservationState.CONFIRMED,
  ReservationState.DEPOSITED,
]);

/** What changed at a site and what that means for the reservation, in words: `paused, cannot be kept`. */
export function describeSiteChange({ kinds, movedM, lacksPlace, canBeKept, cancelled }: SiteChange): string {
  const changes = kinds.map((kind) =>
    kind === SiteChangeKind.MOVED ? `moved ${movedM} m` : nameIn(SiteChangeKind, kind).toLowerCase().replaceAll("_", " "),
  );
  if (lacksPlace) changes.push("no place is left");
  return [...changes, cancelled ? "cancelled with the site" : canBeKept ? "can be kept" : "cannot be kept"].join(", ");
}

/** Whether the reservation is live and can no longer be kept, because its site changed. */
export function isUnkeepable({ state, siteId, siteChange }: Reservation): boolean {
  return siteChange !== undefined && !siteChange.canBeKept && siteChange.siteId === siteId && live.has(state);
}
