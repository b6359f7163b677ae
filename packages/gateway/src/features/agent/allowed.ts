import { bundleAllowanceOf } from "@petak/lifecycle";
import type { Bundle, BundleAllowance, SyncResponse } from "@petak/protocol";
import type { AllowedDifference, BundleStore, ReservationStore } from "@petak/records";
import { type GivenReservation, givenReservations, type NamedAllowancesDependencies } from "./named-allowances.ts";

export interface AllowedDependencies extends NamedAllowancesDependencies {
  reservations: Pick<ReservationStore, "allowedAt">;
  bundles: Pick<BundleStore, "find" | "pins">;
}

/** Everything that a site may open for. */
export async function allAllowed(dependencies: AllowedDependencies, siteId: string): Promise<Pick<SyncResponse, "allowances" | "bundles">> {
  const { reservations, bundles } = dependencies;
  const given = await givenReservations(dependencies, await reservations.allowedAt(siteId));
  const found = await findBundles(bundles, bundleIdsOf(given));
  return { allowances: given.flatMap(({ allowances }) => allowances), bundles: await bundleAllowances(bundles, siteId, found, given) };
}

/** What has changed of it. */
export async function changedAllowed(
  dependencies: AllowedDependencies,
  siteId: string,
  { reservationIds, bundleIds }: AllowedDifference,
): Promise<Pick<SyncResponse, "allowances" | "bundles" | "removedReservationIds" | "removedBundleIds">> {
  const { reservations, bundles } = dependencies;
  const given = await givenReservations(dependencies, await reservations.allowedAt(siteId, reservationIds));
  const givenIds = new Set(given.map(({ reservation }) => reservation.reservationId));
  const changedBundleIds = [...new Set([...bundleIds, ...bundleIdsOf(given)])];
  const found = await findBundles(bundles, changedBundleIds);
  const changed = new Set(reservationIds);
  const otherIds = new Set(found.flatMap((bundle) => bundle.reservationIds).filter((reservationId) => !changed.has(reservationId)));
  const others = await givenReservations(dependencies, await reservations.allowedAt(siteId, [...otherIds]));
  const allowed = await bundleAllowances(bundles, siteId, found, [...given, ...others]);
  const allowedIds = new Set(allowed.map(({ bundleId }) => bundleId));
  return {
    allowances: given.flatMap(({ allowances }) => allowances),
    bundles: allowed,
    removedReservationIds: reservationIds.filter((reservationId) => !givenIds.has(reservationId)),
    removedBundleIds: changedBundleIds.filter((bundleId) => !allowedIds.has(bundleId)),
  };
}

function bundleIdsOf(given: readonly GivenReservation[]): string[] {
  return [...new Set(given.map(({ reservation }) => reservation.bundleId))].filter((bundleId) => bundleId !== "");
}

async function findBundles({ find }: Pick<BundleStore, "find">, bundleIds: readonly string[]): Promise<Bundle[]> {
  return (await Promise.all(bundleIds.map(find))).filter((bundle) => bundle !== undefined);
}

/** What the agent is given of bundles, each of which with those of its reservations that have allowances. None of a bundle without any. */
async function bundleAllowances(
  { pins }: Pick<BundleStore, "pins">,
  siteId: string,
  found: readonly Bundle[],
  given: readonly GivenReservation[],
): Promise<BundleAllowance[]> {
  const bundleOf = new Map(given.map(({ reservation }) => [reservation.reservationId, reservation.bundleId]));
  const entries = await pins(
    siteId,
    found.map(({ bundleId }) => bundleId),
  );
  return found.flatMap((bundle, index) => {
    const reservationIds = bundle.reservationIds.filter((reservationId) => bundleOf.get(reservationId) === bundle.bundleId);
    return reservationIds.length === 0 ? [] : bundleAllowanceOf(bundle, reservationIds, entries[index]);
  });
}
