import { timestampMs } from "@bufbuild/protobuf/wkt";
import { PetakError, type Reservation, type Site, type SiteChange, SiteLifecycle } from "@petak/protocol";

type SiteFacts = Pick<Site, "siteId" | "lifecycle" | "draining">;

/** Whether a site takes new reservations. */
export function isInService({ lifecycle }: Pick<Site, "lifecycle">): boolean {
  return lifecycle === SiteLifecycle.ACTIVE || lifecycle === SiteLifecycle.UNSPECIFIED;
}

/** Whether reservations that a site has can be confirmed and deposited: it is in service, or takes no new ones and keeps these. */
export function keepsReservations(site: Pick<Site, "lifecycle" | "draining">): boolean {
  return isInService(site) || (site.lifecycle === SiteLifecycle.DECOMMISSIONED && site.draining);
}

/** Whether the site's device has paused its intake at a time, in ms since 1970: it keeps its reservations and takes no new ones. */
export function isIntakePaused({ intake }: Pick<Site, "intake">, atMs: number): boolean {
  if (intake === undefined || !intake.paused) return false;
  return intake.pausedUntil === undefined || atMs < timestampMs(intake.pausedUntil);
}

/** How far a site may move without a decision about its live reservations, in m. More is no correction of its position. */
export const siteMoveMaxM = 100;

/** The last told change of the site at which a reservation has its place now. A queued one may have got it at another site since. */
export function ownSiteChange({ siteId, siteChange }: Pick<Reservation, "siteId" | "siteChange">): SiteChange | undefined {
  return siteChange?.siteId === siteId ? siteChange : undefined;
}

/** Whether the last change of its site makes it impossible to keep a reservation, or leads it to another place than was agreed. */
export function isSitesFault(reservation: Pick<Reservation, "siteId" | "siteChange">): boolean {
  const change = ownSiteChange(reservation);
  return change !== undefined && (!change.canBeKept || change.movedM > siteMoveMaxM);
}

/**
 * Refuses to confirm or deposit at a site that is out of service.
 *
 * @throws {PetakError} SITE_OUT_OF_SERVICE, which names the phase of the site's life.
 */
export function refuseOutOfService({ reservationId }: Pick<Reservation, "reservationId">, site: SiteFacts): void {
  if (keepsReservations(site)) return;
  const lifecycle = Object.entries(SiteLifecycle).find(([, value]) => value === site.lifecycle)?.[0] ?? String(site.lifecycle);
  throw new PetakError(
    "SITE_OUT_OF_SERVICE",
    `site ${site.siteId} of reservation ${reservationId} is in ${lifecycle}: nothing can be confirmed or deposited there; use Redirect or Cancel, free of charge`,
    { metadata: { reservation_id: reservationId, site_id: site.siteId, lifecycle, subject: reservationId } },
  );
}
