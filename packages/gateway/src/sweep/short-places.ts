import { create } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { ownSiteChange, siteChanged, type WritingTransition } from "@petak/lifecycle";
import { type Reservation, ReservationState, SiteChangeKind, SiteChangeSchema } from "@petak/protocol";
import { canBeKept, type Shortage, type StoredSite } from "@petak/records";

/**
 * How far apart two reports must be that show too many places occupied by others, in ms. A parcel whose deposit the site's agent has yet to report looks like one
 * of somebody else.
 */
const othersSureAfterMs = 60_000;

/** Whether a reservation holds a place that it may lose to a shortage. */
export function holdsPlace({ state }: Pick<Reservation, "state">): boolean {
  return state === ReservationState.HELD || state === ReservationState.CONFIRMED;
}

/**
 * How many of the reservations that hold a place of a size class have none, by the class's index: those for which, after parcels inside, no place in working order
 * is left. Places that others occupy count once two reports have shown it.
 */
export function lackingPlaces({ counts, observation }: Pick<StoredSite, "counts" | "observation">, { sinceMs }: Shortage): number[] {
  const areOthersSure = observation !== undefined && observation.observedAtMs - sinceMs >= othersSureAfterMs;
  return counts.map(({ inService, occupied, held, occupiedByOthers }) => {
    const usable = inService - occupied - (areOthersSure ? occupiedByOthers : 0);
    return Math.min(held, Math.max(0, held - usable));
  });
}

/** Of the reservations that hold places at a site, those that have none: of each size class the last that were made. */
export function lackingReservations(holders: readonly Reservation[], { site }: StoredSite, lacking: readonly number[]): Set<string> {
  const madeAtMs = ({ createdAt }: Reservation) => (createdAt === undefined ? 0 : timestampMs(createdAt));
  const ids = site.sizeClasses.flatMap(({ sizeClassId }, index) =>
    holders
      .filter((one) => one.sizeClassId === sizeClassId)
      .sort((a, b) => madeAtMs(b) - madeAtMs(a) || (a.reservationId < b.reservationId ? 1 : -1))
      .slice(0, lacking[index] ?? 0)
      .map(({ reservationId }) => reservationId),
  );
  return new Set(ids);
}

/** Tells a reservation that no place is left for it, or that there is one again. Undefined: it knows. */
export function plannedShortage(
  before: Reservation,
  { site }: StoredSite,
  lacksPlace: boolean,
  atMs: number,
): WritingTransition | undefined {
  const told = ownSiteChange(before);
  if (!holdsPlace(before) || before.siteId !== site.siteId || (told?.lacksPlace ?? false) === lacksPlace) return undefined;
  const change = create(SiteChangeSchema, {
    siteId: before.siteId,
    kinds: [SiteChangeKind.PLACES],
    movedM: told?.movedM ?? 0,
    // The facts are as they were: changes of which it has not been told yet are still to be told.
    siteRevision: told?.siteRevision ?? before.siteRevision,
    number: (before.siteChange?.number ?? 0) + 1,
    lacksPlace,
    canBeKept: !lacksPlace && canBeKept(before, site, atMs),
  });
  return siteChanged(before, change, atMs);
}
