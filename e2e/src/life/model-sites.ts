import { LiveReservations, SiteChangeKind, SiteLifecycle } from "@petak/protocol";

/** A site in the model, as far as its operator changes it. */
export interface ModelSite {
  readonly lifecycle: SiteLifecycle;
  readonly draining: boolean;
  /** How far it is from where it was first, to the south, in degrees. */
  readonly southDeg: number;
}

/** What a reservation was last told of its site. */
export interface ModelSiteChange {
  readonly kinds: readonly SiteChangeKind[];
  /** How far the site has moved in all, in m. */
  readonly movedM: number;
  readonly canBeKept: boolean;
  readonly cancelled: boolean;
  /** How often it was told. */
  readonly number: number;
}

/** How far a site may move without a decision about its reservations, in m. */
const moveMaxM = 100;

/** Metres of a degree of latitude. */
const degreeM = 111_195;

const K = SiteChangeKind;

/** A site of a new life. */
export const newSite: ModelSite = { lifecycle: SiteLifecycle.ACTIVE, draining: false, southDeg: 0 };

export function isInService({ lifecycle }: ModelSite): boolean {
  return lifecycle === SiteLifecycle.ACTIVE;
}

/** Whether the site keeps the reservations that it has. */
export function keeps(site: ModelSite): boolean {
  return isInService(site) || (site.lifecycle === SiteLifecycle.DECOMMISSIONED && site.draining);
}

/** How far a site moves, in m, rounded up. */
export function movedM(before: ModelSite, after: ModelSite): number {
  return Math.ceil(Math.abs(before.southDeg - after.southDeg) * degreeM);
}

/** Whether a change asks its operator how live reservations are to go. */
export function asksOperator(before: ModelSite, after: ModelSite): boolean {
  const isRetired = ({ lifecycle, draining }: ModelSite) => lifecycle === SiteLifecycle.DECOMMISSIONED && !draining;
  return (isRetired(after) && !isRetired(before)) || movedM(before, after) > moveMaxM;
}

/** What changed that a site's reservations are told. */
export function changesOf(before: ModelSite, after: ModelSite): SiteChangeKind[] {
  const kinds: SiteChangeKind[] = [];
  if (serviceOf(before) !== serviceOf(after) || keeps(before) !== keeps(after)) kinds.push(serviceOf(after));
  if (movedM(before, after) > 0) kinds.push(K.MOVED);
  return kinds;
}

function serviceOf(site: ModelSite): SiteChangeKind {
  if (isInService(site)) return K.BACK_IN_SERVICE;
  return site.lifecycle === SiteLifecycle.DECOMMISSIONED ? K.RETIRED : K.PAUSED;
}

/** Whether a reservation costs nothing to leave, by what it was told of its site. */
export function isSitesFault(told: ModelSiteChange | undefined): boolean {
  return told !== undefined && (!told.canBeKept || told.movedM > moveMaxM);
}

/** What a decision does to a retired site. */
export function retiredBy(live: LiveReservations): Pick<ModelSite, "lifecycle" | "draining"> {
  return { lifecycle: SiteLifecycle.DECOMMISSIONED, draining: live === LiveReservations.DRAIN };
}
