import { keepSites, type SiteFilters } from "@petak/client";
import type { PetakClient } from "@petak/client/node";
import { type Site, SiteLifecycle } from "@petak/protocol";
import { greatCircleM, type Position } from "@petak/protocol/geo";

/** A circle on the globe. */
export interface Circle extends Position {
  radiusM: number;
}

/** The sites of a gateway's directory in a circle that are not retired. */
export async function sitesWithin(directory: PetakClient["directory"], circle: Circle, filters: SiteFilters): Promise<Site[]> {
  const { sites } = await keepSites(directory, undefined, filters);
  return [...sites.values()].filter(
    ({ position, lifecycle }) =>
      position !== undefined && lifecycle !== SiteLifecycle.DECOMMISSIONED && greatCircleM(circle, position) <= circle.radiusM,
  );
}

/** How many parcels sites have places for. */
export function placesOf(sites: readonly Site[]): number {
  return sites.reduce((sum, { sizeClasses }) => sum + sizeClasses.reduce((places, { installed }) => places + installed, 0), 0);
}
