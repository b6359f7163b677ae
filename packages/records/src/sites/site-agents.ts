import { parseSiteId } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";

/** Which enrolled device is in charge of each site. */
export interface SiteAgents {
  /** The id of its key. Undefined: no device has ever been enrolled at the site. */
  inCharge(siteId: string): Promise<string | undefined>;
  /** Puts the device with a key in charge, unless another than `before` is by now: then it returns false. @param before "": none */
  put(siteId: string, keyId: string, before: string): Promise<boolean>;
}

const script = createScript("put-in-charge");

/** Stores them in Redis. They end with their sites. */
export function createSiteAgents(redis: RedisConnection, keys: Keys, siteIds: SiteIds): SiteAgents {
  return {
    async inCharge(siteId) {
      const id = parseSiteId(siteId);
      return id === undefined ? undefined : ((await redis.get(keys.siteAgent(id.region, id.siteNumber))) ?? undefined);
    },
    async put(siteId, keyId, before) {
      const { region, siteNumber } = siteIds.require(siteId);
      const [tag] = await script(redis, [keys.siteAgent(region, siteNumber)], [before, keyId]);
      return tag === "put";
    },
  };
}
