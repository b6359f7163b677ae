import type { Position } from "@petak/protocol/geo";
import { PositionIndex } from "../geo/position-index.ts";

/** A parcel that somebody gets on the day. */
export interface DayParcel extends Position {
  /** Number of its courier. */
  readonly courier: number;
}

/** A place that takes parcels. */
export interface DaySite extends Position {
  /** The courier whose own it is, where each has its own. */
  readonly owner: number;
}

/** The site of a parcel. */
export interface Place {
  readonly site: DaySite;
  readonly distanceM: number;
}

/** Where the parcels of a day go. */
export interface Assignment {
  readonly parcels: readonly DayParcel[];
  /** For each parcel: the nearest site of its courier, and the nearest of all. Undefined if none is in reach: it goes to the door. */
  readonly own: readonly (Place | undefined)[];
  readonly open: readonly (Place | undefined)[];
}

/** The side of the cubes in which sites are looked for, in m. */
const cubeM = 500;

/**
 * Assigns each parcel to the nearest site of its courier and to the nearest of all.
 *
 * @param reachM farthest site that people accept, as the crow flies, in m
 */
export function assignParcels(parcels: readonly DayParcel[], sites: readonly DaySite[], reachM = 5000): Assignment {
  const finderOf = (among: readonly DaySite[]) => {
    const index = new PositionIndex(among, cubeM);
    return (parcel: DayParcel): Place | undefined => {
      const found = index.nearest(parcel, reachM);
      return found && { site: among[found.index] as DaySite, distanceM: found.distanceM };
    };
  };
  const finders = new Map([...Map.groupBy(sites, ({ owner }) => owner)].map(([courier, among]) => [courier, finderOf(among)]));
  return { parcels, own: parcels.map((parcel) => finders.get(parcel.courier)?.(parcel)), open: parcels.map(finderOf(sites)) };
}
