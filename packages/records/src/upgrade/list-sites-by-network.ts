import { timestampMs } from "@bufbuild/protobuf/wkt";
import { SiteLifecycle } from "@petak/protocol";
import { createScript } from "../lua/create-script.ts";
import { createSiteStore } from "../sites/site-store.ts";
import type { UpgradeSources } from "./upgrade-sources.ts";

const listScript = createScript("list-site");

/** Version 3 counts an operator's sites by network, lists retired ones, which end, and lists all in the order of their changes. */
export async function listSitesByNetwork({ redis, keys, siteIds }: UpgradeSources): Promise<void> {
  const sites = createSiteStore(redis, keys, siteIds);
  for (const operatorId of await redis.hkeys(keys.operatorNumbers())) {
    const refs = Object.entries(await redis.hgetall(keys.operatorSiteRefs(operatorId)));
    const facts = await sites.facts(refs.map(([, siteId]) => siteIds.lengthen(siteId)));
    for (const [index, [ref]] of refs.entries()) {
      const site = facts[index];
      // Without a site the reference is that of an upsert that was cut off: it is counted when it is repeated.
      if (site === undefined) continue;
      await redis.sadd(keys.operatorSites(site.isTest ? "test" : "live", operatorId), ref);
      const { region, siteNumber } = siteIds.require(site.siteId);
      const changedMs = site.updatedAt === undefined ? 0 : timestampMs(site.updatedAt);
      await listScript(redis, [keys.listedSites(region)], [siteNumber, changedMs]);
      if (site.lifecycle !== SiteLifecycle.DECOMMISSIONED) continue;
      await redis.zadd(keys.retiredSites(region), "NX", changedMs, String(siteNumber));
    }
  }
}
