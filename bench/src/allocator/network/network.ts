import type { Position } from "@petak/allocator";
import { Purpose, type Site } from "@petak/protocol";
import { makeSite } from "@petak/testkit";

/** The positions of a bench's sites, by their index from 0. */
export interface Network {
  name: string;
  count: number;
  latitudes: Float64Array;
  longitudes: Float64Array;
  /** ISO 3166-1 alpha-2. */
  countryOf(index: number): string;
}

/** The operator of all sites of a bench. */
export const operatorId = "par_0000000000000001";

/** The index of the size class that the bench's parcel needs, among the classes of every site. */
export const askedClass = { index: 2, sizeClassId: "L" } as const;

/** A size that no query asks for: holding its places changes the index, but no answer. */
export const otherClass = { index: 0, sizeClassId: "S" } as const;

/** Its places at every site: more than a run holds. */
const otherPlaces = 200;

/** A parcel that fits L and no other class. */
export const parcel = { widthMm: 350, heightMm: 300, depthMm: 500, massG: 5000 };

/** The query without its origin: the five nearest sites with a free place at any distance. */
export const question = {
  parcel,
  purpose: Purpose.DELIVERY,
  isTest: true,
  limit: 5,
  radiusM: Number.POSITIVE_INFINITY,
  kinds: [],
  operatorIds: [],
  excludedOperatorIds: [],
};

/** The position of a site. */
export function positionOf(network: Network, index: number): Position {
  return { latitude: network.latitudes[index] as number, longitude: network.longitudes[index] as number };
}

const refPrefix = "bench-";

/** The operator's own reference of a site. */
export function refOf(index: number): string {
  return `${refPrefix}${index}`;
}

/** The index of the site with a reference made by {@link refOf}. */
export function indexOfRef(ref: string): number {
  return Number(ref.slice(refPrefix.length));
}

/** A site as an operator would send it: three size classes, the largest with the given number of places. */
export function siteOf(network: Network, index: number, largePlaces: number): Site {
  const site = makeSite({
    operatorId,
    ref: refOf(index),
    ...positionOf(network, index),
    classes: [
      [otherClass.sizeClassId, 400, 100, 600, 20_000, otherPlaces],
      ["M", 400, 200, 600, 20_000, 20],
      [askedClass.sizeClassId, 400, 400, 600, 20_000, largePlaces],
    ],
  });
  if (site.address !== undefined) site.address.countryCode = network.countryOf(index);
  return site;
}
