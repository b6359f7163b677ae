import { convertRegionLists } from "./convert-region-lists.ts";
import { listKeysByKind } from "./list-keys-by-kind.ts";
import { listSitesByNetwork } from "./list-sites-by-network.ts";
import type { UpgradeSources } from "./upgrade-sources.ts";

/**
 * Rewrites what a store has from versions before 3, before this release serves calls, and states that nothing older is left. Gateways may do this at the
 * same time, and one that dies is followed by the next: each step is idempotent, and changes nothing that was already rewritten. No gateway that writes
 * an older version runs meanwhile, see enter-store.ts.
 *
 * @param range the oldest and the newest version that the store may hold
 */
export async function upgradeStore(sources: UpgradeSources, { oldest, newest }: { oldest: number; newest: number }): Promise<void> {
  if (oldest >= 3) return;
  await listKeysByKind(sources);
  await listSitesByNetwork(sources);
  await convertRegionLists(sources);
  // A release stood in for by its numbers alone may write version 2.
  if (newest >= 3) await sources.redis.hset(sources.keys.dataVersion(), "oldest", 3);
}
