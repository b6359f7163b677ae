import type { BundleStore } from "../bundles/bundle-store.ts";
import type { StoredReservation } from "./region-archive.ts";

/**
 * Deletes the bundles of which the last reservation was archived. A bundle that is left over by a crash expires half a year after its last change.
 *
 * @param left reservations that were removed from the store
 */
export async function deleteEmptyBundles(
  bundles: Pick<BundleStore, "deleteIfEmpty">,
  left: readonly Pick<StoredReservation, "reservation">[],
): Promise<void> {
  const bundleIds = new Set(left.map(({ reservation }) => reservation.bundleId).filter((bundleId) => bundleId !== ""));
  await Promise.all([...bundleIds].map(bundles.deleteIfEmpty));
}
