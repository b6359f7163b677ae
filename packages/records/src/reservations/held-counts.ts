import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { type Sharer, sharerOf } from "../encoding/hold-limits.ts";
import { siteNumberBytes } from "../sites/site-store.ts";

/** The unconfirmed holds of a participant at a site. */
export interface HeldAtSite {
  all: number;
  /** Index of the size class → number. */
  byClass: ReadonlyMap<number, number>;
}

/** Decodes the share of a participant at a site as lua/includes/holds.lua writes it. */
export function decodeShare(text: string | null): HeldAtSite {
  const [all = "0", ...classes] = (text ?? "0").split(" ");
  return { all: Number(all), byClass: new Map(classes.map((one) => one.split(":").map(Number) as [number, number])) };
}

/** Reads how many unconfirmed holds participants have. The scripts of the regions count them, see lua/includes/holds.lua. */
export interface HeldCounts {
  /** In a region. */
  inRegion(sharer: Sharer, region: Region): Promise<number>;
  /** At a site, in all and by the index of the size class. */
  atSite(sharer: Sharer, siteId: string): Promise<HeldAtSite>;
  /** In all regions: one command for each. They are read one after the other, so the sum is that of no single moment. */
  inAll(sharer: Sharer): Promise<number>;
}

/** Reads the counts from Redis. */
export function createHeldCounts(redis: RedisConnection, keys: Keys, siteIds: SiteIds): HeldCounts {
  const inRegion = (sharer: Sharer, region: Region) => redis.zcard(keys.heldBy(region, sharerOf(sharer)));
  return {
    inRegion,
    async atSite(sharer, siteId) {
      const { region, siteNumber } = siteIds.require(siteId);
      const share = Buffer.concat([Buffer.from(`${sharerOf(sharer)} `), siteNumberBytes(siteNumber)]);
      return decodeShare(await redis.hget(keys.held(region), share));
    },
    async inAll(sharer) {
      const counts = await Promise.all((await redis.smembers(keys.regions())).map((region) => inRegion(sharer, region)));
      return counts.reduce((sum, count) => sum + count, 0);
    },
  };
}
