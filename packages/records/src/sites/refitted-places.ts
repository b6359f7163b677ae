import { checkSite } from "@petak/allocator";
import { LiveReservations, type Site } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { GrowingBytes } from "../encoding/growing-bytes.ts";
import { holdClass } from "../encoding/hold-classes.ts";
import { decodeWaiting, writePlaceClasses } from "../encoding/waiting-entry.ts";

/**
 * The size classes that fit each reservation queued at a site once the site has new facts, in the form that lua/put-site.lua takes. The script refuses them if
 * reservations have joined or left the queue meanwhile. Those whose operator cancels them with the change wait there no more, whatever changes later.
 */
export async function refittedPlaces(
  redis: RedisConnection,
  keys: Keys,
  siteIds: SiteIds,
  site: Site,
  live: LiveReservations,
): Promise<Buffer> {
  const { region, siteNumber } = siteIds.require(site.siteId);
  const handles = await redis.zrange(keys.siteQueue(region, siteNumber), "0", "-1");
  const bytes = new GrowingBytes();
  if (handles.length === 0) return bytes.copy();
  const entries = await redis.hmgetBuffer(keys.waiting(region), ...handles);
  for (const [index, handle] of handles.entries()) {
    const entry = entries[index];
    if (entry === null || entry === undefined) continue;
    const { query, places } = decodeWaiting(entry);
    const isCancelled = live === LiveReservations.CANCEL || places.some((place) => place.siteNumber === siteNumber && place.isCancelled);
    const { isHard = false } = query;
    const { reason, classes } = checkSite(query, site);
    const fitting = reason === undefined ? classes.map((at) => holdClass(site, at, isHard)) : [];
    bytes.u8(handle.length);
    bytes.latin1(handle);
    bytes.afterLength16(() => writePlaceClasses(bytes, isCancelled ? "cancelled" : fitting, isHard));
  }
  return bytes.copy();
}
