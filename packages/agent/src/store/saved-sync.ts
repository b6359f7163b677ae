import type { BundleAllowance, SyncResponse, TrustBundle } from "@petak/protocol";

/** What an agent keeps of a response of Sync: everything, or a difference from the version that it has. */
export interface SavedSync
  extends Pick<SyncResponse, "version" | "allowances" | "bundles" | "revokedServiceHashes">,
    Partial<Pick<SyncResponse, "versionTag" | "isDifference" | "removedReservationIds" | "removedBundleIds">> {
  /** When it came, in ms since 1970. */
  nowMs?: number;
  trustBundle: TrustBundle | undefined;
  /** Undefined or empty: unchanged. */
  pinKey?: Uint8Array;
}

/** The bundles after a response was applied. */
export function bundlesAfter(before: readonly BundleAllowance[], sync: SavedSync): BundleAllowance[] {
  if (sync.isDifference !== true) return [...sync.bundles];
  const removed = new Set(sync.removedReservationIds);
  const changed = new Set([...(sync.removedBundleIds ?? []), ...sync.bundles.map(({ bundleId }) => bundleId)]);
  const kept = before.flatMap((bundle) => {
    const reservationIds = bundle.reservationIds.filter((reservationId) => !removed.has(reservationId));
    return changed.has(bundle.bundleId) || reservationIds.length === 0 ? [] : [{ ...bundle, reservationIds }];
  });
  return [...kept, ...sync.bundles];
}
