import {
  createLayout,
  type DataVersionError,
  diskFiles,
  enterStore as enterRecords,
  requireReadableArchive,
  upgradeStore,
} from "@petak/records";
import { createSiteIds } from "@petak/redis";
import type { ConnectedStore } from "./connect-store.ts";
import type { GatewayOptions } from "./gateway-options.ts";

/**
 * Checks the versions of the data in the store and its archive, registers this gateway, and rewrites older data.
 *
 * @param onRefused called with the reason, at most once, when another gateway has raised the data version beyond what this gateway reads
 * @returns the store's code
 * @throws {DataVersionError} if this release must not use the store or the archive.
 */
export async function enterStore(
  { redis, keys, watch }: ConnectedStore,
  { archive, storeEntry }: GatewayOptions,
  stack: AsyncDisposableStack,
  onRefused: (error: DataVersionError) => void,
): Promise<string> {
  if (archive !== undefined) await requireReadableArchive(archive.files ?? diskFiles, createLayout(archive.directory, keys.prefix));
  const entry = await enterRecords({
    redis,
    keys,
    ...storeEntry,
    onError: (error) => watch.logFailure("the renewal of this gateway's registration", error),
    onRefused,
  });
  stack.defer(() => entry.leave());
  await upgradeStore({ redis, keys, siteIds: createSiteIds(entry.storeCode) }, entry);
  return entry.storeCode;
}
