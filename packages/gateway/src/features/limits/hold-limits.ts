import { LimitKind } from "@petak/protocol";
import { classMost, freeToPromise, type HeldCounts, type SiteStore, siteMost } from "@petak/records";
import { type LimitSource, usedLimit } from "../participant/limit-source.ts";
import { type HoldAllowance, withOwnLimits } from "../reservation/hold-allowance.ts";

/** The limits on unconfirmed holds: in all, and in the region and at the site that are asked for. */
export function holdLimits(counts: HeldCounts, sites: Pick<SiteStore, "find">, settings: Readonly<HoldAllowance>): LimitSource {
  return async ({ participantId, mode, holdLimits: own, region, siteId }) => {
    const allowance = withOwnLimits(settings, own);
    const sharer = { participantId, isTest: mode === "test" };
    const limits = [usedLimit(LimitKind.HOLDS_IN_ALL, allowance.allMost, await counts.inAll(sharer))];
    if (region !== undefined) {
      limits.unshift(usedLimit(LimitKind.HOLDS_IN_REGION, allowance.regionMost, await counts.inRegion(sharer, region), { region }));
    }
    const stored = siteId === undefined ? undefined : await sites.find(siteId);
    if (siteId !== undefined && stored !== undefined) {
      const { all, byClass } = await counts.atSite(sharer, siteId);
      const free = stored.counts.map(freeToPromise);
      const ofClasses = stored.site.sizeClasses.map(({ sizeClassId }, index) => {
        const own = byClass.get(index) ?? 0;
        const most = classMost(allowance, { free: free[index] ?? 0, own, ownAtSite: all });
        return usedLimit(LimitKind.HOLDS_OF_SIZE_CLASS, Math.max(own, most), own, { siteId, sizeClassId });
      });
      const most = siteMost(allowance, { free: free.reduce((sum, count) => sum + count, 0), own: all });
      // What is held stays, even if others have taken so many places since that the share is less.
      limits.unshift(usedLimit(LimitKind.HOLDS_AT_SITE, Math.max(all, most), all, { siteId }), ...ofClasses);
    }
    return limits;
  };
}
