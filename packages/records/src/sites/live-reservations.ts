import { greatCircleM } from "@petak/allocator";
import { siteMoveMaxM } from "@petak/lifecycle";
import { LiveReservations, PetakError, type Site, SiteLifecycle } from "@petak/protocol";

/** Live reservations of a site, as its counts and its queue have them. */
export interface LiveCounts {
  /** Held and confirmed ones. */
  held: number;
  /** Parcels inside, or in doubt. */
  occupied: number;
  /** Those that wait in its queue. */
  queued: number;
}

/** How far a site moves by a change of its facts, in m. */
export function movedM({ position: from }: Pick<Site, "position">, { position: to }: Pick<Site, "position">): number {
  return from === undefined || to === undefined ? 0 : greatCircleM(from, to);
}

/** How far a site would be from where its operator last decided that it is, in m: moves without a decision add up. */
export function undecidedM(before: Site, after: Site): number {
  return movedM({ position: before.movedFrom ?? before.position }, after);
}

/** Whether a change of a site's facts requires that it has no live reservations: it ends their place, and the operator did not say what happens to them. */
export function refusesLive(before: Site, after: Site, live: LiveReservations): boolean {
  if (live === LiveReservations.DRAIN || live === LiveReservations.CANCEL) return false;
  const isRetired = after.lifecycle === SiteLifecycle.DECOMMISSIONED && !after.draining;
  const wasRetired = before.lifecycle === SiteLifecycle.DECOMMISSIONED && !before.draining;
  return (isRetired && !wasRetired) || undecidedM(before, after) > siteMoveMaxM;
}

/** The error for a site whose live reservations refuse a change. */
export function siteInUse({ siteId, operatorSiteRef }: Site, { held, occupied, queued }: LiveCounts): PetakError {
  return new PetakError(
    "SITE_IN_USE",
    `site ${siteId} (${operatorSiteRef}) has ${held} held or confirmed reservations, ${occupied} parcels inside and ${queued} in its queue; say in live_reservations what happens to them`,
    {
      metadata: { site_id: siteId, held: String(held), occupied: String(occupied), queued: String(queued), subject: siteId },
    },
  );
}
