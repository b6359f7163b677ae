import type { BundleStore, StoredReservation } from "@petak/records";

/**
 * Lets the bundles go to which reservations belonged that have left the records, where they were the last. Whoever dies before it leaves a bundle that ends by
 * itself half a year after its last change.
 */
export async function letBundlesGo(
  bundles: Pick<BundleStore, "letGo">,
  left: readonly Pick<StoredReservation, "reservation">[],
): Promise<void> {
  const bundleIds = new Set(left.map(({ reservation }) => reservation.bundleId).filter((bundleId) => bundleId !== ""));
  await Promise.all([...bundleIds].map(bundles.letGo));
}
