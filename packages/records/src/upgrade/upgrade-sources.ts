import type { Keys, RedisConnection, SiteIds } from "@petak/redis";

/** What an upgrade works on. */
export interface UpgradeSources {
  redis: RedisConnection;
  keys: Keys;
  siteIds: SiteIds;
}
