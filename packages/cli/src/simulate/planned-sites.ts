import { randomUUID } from "node:crypto";
import type { PetakClient } from "@petak/client/node";
import { LiveReservations, type Site, SiteKind, SiteLifecycle } from "@petak/protocol";
import { batchesOf } from "../batches.ts";
import type { SiteInit } from "../demo/network.ts";
import { namedMix } from "../places/compartment-mix.ts";
import { countryAt, timeZoneAt } from "../places/time-zone.ts";
import type { SimulatedCity } from "./city.ts";
import type { Plan } from "./plan-sites.ts";

/** How references of planned sites begin. */
const prefix = "plan-";

/** Sites per call. */
const batchSize = 100;

/** Whether a site was planned by a run. */
export function isPlanned({ operatorSiteRef }: Pick<Site, "operatorSiteRef">): boolean {
  return operatorSiteRef.startsWith(prefix);
}

/** The reference of the n-th site of a plan, from 0. */
export function plannedRef(index: number): string {
  return `${prefix}${index + 1}`;
}

/**
 * Puts the sites of a plan into the directory, each a terminal of medium size that is always open.
 *
 * @param client an operator's
 * @returns their ids
 */
export async function putPlannedSites({ directory }: PetakClient, { sites }: Plan, city: SimulatedCity): Promise<string[]> {
  const { sizeClasses, compartments } = namedMix("medium");
  const inits = sites.map(({ position }, index): SiteInit => {
    const countryCode = city.countryCode ?? countryAt(position.latitude, position.longitude) ?? "SG";
    return {
      operatorSiteRef: plannedRef(index),
      kind: SiteKind.PARCEL_TERMINAL,
      name: `Planned site ${index + 1}, ${city.name}`,
      position,
      address: { countryCode, locality: city.name, lines: ["Planned by a simulation"] },
      timeZone: timeZoneAt(position.latitude, position.longitude, countryCode).timeZone,
      openingHours: { alwaysOpen: true },
      sizeClasses,
      compartments,
      lifecycle: SiteLifecycle.ACTIVE,
      isTest: true,
    };
  });
  const siteIds: string[] = [];
  for await (const batch of batchesOf(inits, batchSize)) {
    const { results } = await directory.upsertSites({ requestId: randomUUID(), sites: batch, liveReservations: LiveReservations.DRAIN });
    siteIds.push(...results.map(({ siteId }) => siteId));
  }
  return siteIds;
}

/** Takes planned sites out of the directory. What is inside can still be collected. */
export async function retirePlannedSites({ directory }: PetakClient, siteIds: readonly string[]): Promise<void> {
  for await (const batch of batchesOf(siteIds, batchSize)) {
    await directory.retireSites({ requestId: randomUUID(), siteIds: batch, liveReservations: LiveReservations.DRAIN });
  }
}
