import type { Timestamp } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import { type ManifestSite, ReservationState } from "@petak/protocol";
import { batchesOf } from "../batches.ts";
import { pagesOf } from "../pages.ts";

/** Sites of a call, and entries or reservations of a page: the protocol's greatest. */
const routeMax = 100;
const pageSize = 500;

/** What the caller has to do at sites, each once and in their order. */
export async function readManifest(
  { reservations }: PetakClient,
  siteIds: readonly string[],
  dueBefore: Timestamp | undefined,
): Promise<ManifestSite[]> {
  const found = new Map<string, ManifestSite>();
  for await (const some of batchesOf(siteIds, routeMax)) {
    const query = { siteIds: some, pageSize, ...(dueBefore && { dueBefore }) };
    for await (const { sites } of pagesOf((cursor) => reservations.getManifest({ ...query, cursor }))) {
      for (const site of sites) {
        const earlier = found.get(site.siteId);
        if (earlier === undefined) found.set(site.siteId, site);
        else earlier.entries.push(...site.entries);
      }
    }
  }
  return [...found.values()];
}

/** The sites at which reservations of the caller are confirmed or have their parcel inside, by id. */
export async function sitesWithReservations({ reservations }: PetakClient): Promise<string[]> {
  const siteIds = new Set<string>();
  const states = [ReservationState.CONFIRMED, ReservationState.DEPOSITED];
  for await (const page of pagesOf((cursor) => reservations.listReservations({ states, cursor, pageSize }))) {
    for (const { siteId } of page.reservations) siteIds.add(siteId);
  }
  return [...siteIds].sort();
}
