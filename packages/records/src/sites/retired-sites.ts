import { type Region, SiteLifecycle } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { cellOf, type SiteRecord, siteRecordHead } from "./site-record.ts";
import { modeOf, type SiteStore, siteNumberBytes } from "./site-store.ts";

/** How long a site is kept after its retirement, in ms: half a year, in which it can be put back into service. It is its own tombstone until then. */
export const retiredKeptMs = 180 * 86_400_000;

/** The retired sites of the store. */
export interface RetiredSites {
  /**
   * Ends the sites of a region that were retired {@link retiredKeptMs} before `nowMs`, except those that still have reservations, parcels inside, or changes to tell:
   * they are deleted and do not count any more, their references may be used again, and their ids never. Any number of gateways may do so, and another one continues
   * what was cut off. Returns how many ended.
   */
  end(region: Region, nowMs: number, signal?: AbortSignal): Promise<number>;
}

/** Sites that are looked at together. */
const atATime = 100;

const endScript = createScript("end-site");
const deleteScript = createScript("delete-site");
const releaseRefScript = createScript("release-ref");

/** Creates the retired sites over the store. */
export function createRetiredSites(redis: RedisConnection, keys: Keys, siteIds: SiteIds, sites: Pick<SiteStore, "filed">): RetiredSites {
  /** Lets an operator use the reference of a site that has ended for another one, and counts it no more. */
  async function release({ site: { siteId, operatorId, operatorSiteRef, isTest } }: SiteRecord): Promise<void> {
    const [refs, counted] = [keys.operatorSiteRefs(operatorId), keys.operatorSites(modeOf({ isTest }), operatorId)];
    await releaseRefScript(redis, [refs], [operatorSiteRef, siteIds.shorten(siteId)]);
    if ((await redis.hexists(refs, operatorSiteRef)) === 1) return;
    await redis.srem(counted, operatorSiteRef);
    // Another site may just have got the reference, and have been counted before this.
    if ((await redis.hexists(refs, operatorSiteRef)) === 1) await redis.sadd(counted, operatorSiteRef);
  }

  /** Ends one site. Returns false if it is in use, or was changed meanwhile. */
  async function endOne(region: Region, siteNumber: number): Promise<boolean> {
    const filed = (await sites.filed(siteIds.format(region, siteNumber))) as SiteRecord | undefined;
    // Another gateway has just deleted it, or it was put back.
    if (filed?.site.lifecycle !== SiteLifecycle.DECOMMISSIONED) return false;
    const number = siteNumberBytes(siteNumber);
    const [site, counts, allowed] = [
      keys.site(region, siteNumber),
      keys.siteCounts(region, cellOf(filed)),
      keys.siteAllowed(region, siteNumber),
    ];
    const [tag] = await endScript(
      redis,
      [site, counts, allowed, keys.siteQueue(region, siteNumber), keys.siteChanges(region), keys.endedSites(region)],
      [number, siteRecordHead(filed)],
    );
    if (tag !== "ended") return false;
    await release(filed);
    const own = [
      keys.siteAllowedVersion(region, siteNumber),
      keys.siteAllowedChanges(region, siteNumber),
      keys.siteCompartments(region, siteNumber),
      keys.sitePins(region, siteNumber),
      keys.sitePinsEnded(region, siteNumber),
      keys.siteRevoked(region, siteNumber),
      keys.siteIssued(region, siteNumber),
      keys.siteRefusals(region, siteNumber),
      keys.siteAgent(region, siteNumber),
      keys.siteCommands(region, siteNumber),
      keys.siteOpenCommands(region, siteNumber),
    ];
    const ofRegion = [keys.endedSites(region), keys.retiredSites(region), counts, keys.siteShortages(region), keys.sitesTold(region)];
    await deleteScript(redis, [...ofRegion, keys.listedSites(region), keys.sitePauses(region), site, allowed, ...own], [number]);
    return true;
  }

  return {
    async end(region, nowMs, signal) {
      let [ended, kept] = [0, 0];
      for (;;) {
        const page = await redis.zrangebyscore(keys.retiredSites(region), "-inf", nowMs - retiredKeptMs, "LIMIT", kept, atATime);
        for (const number of page) {
          if (signal?.aborted === true) return ended;
          if (await endOne(region, Number(number))) ended += 1;
          else kept += 1;
        }
        if (page.length < atATime) return ended;
      }
    },
  };
}
