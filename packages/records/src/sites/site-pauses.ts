import { isIntakePaused } from "@petak/lifecycle";
import { PetakError, type Region, type SiteIntake } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import type { SiteStore } from "./site-store.ts";

/** The sites whose intake is paused until a time. */
export interface SitePauses {
  /** Ends the pauses of a region whose time has passed, so that the sites are offered again. Any number of gateways may do so. */
  end(region: Region, nowMs: number): Promise<void>;
}

/** Sites that are looked at in one round. */
const atATime = 100;

/** When to try again to offer a site that cannot be offered, since its operator has used what it may: in ms. */
const retryMs = 600_000;

/** Creates the pauses over the store. */
export function createSitePauses(
  redis: RedisConnection,
  keys: Keys,
  siteIds: SiteIds,
  sites: Pick<SiteStore, "filed" | "setIntake">,
): SitePauses {
  async function endOne(region: Region, number: string, nowMs: number): Promise<void> {
    const siteId = siteIds.format(region, Number(number));
    const intake = (await sites.filed(siteId))?.site.intake;
    if (intake === undefined) return;
    try {
      // Whatever was said meanwhile is looked at once more when it is written.
      await sites.setIntake(siteId, (stored) => (isPauseOver(stored, nowMs) ? withoutPause(stored ?? intake) : stored), nowMs);
    } catch (error) {
      if (!(error instanceof PetakError) || error.reason !== "QUOTA_EXHAUSTED") throw error;
      await redis.zadd(keys.sitePauses(region), "XX", nowMs + retryMs, number);
    }
  }

  return {
    async end(region, nowMs) {
      const due = await redis.zrangebyscore(keys.sitePauses(region), "-inf", nowMs, "LIMIT", 0, atATime);
      for (const number of due) await endOne(region, number, nowMs);
    },
  };
}

function isPauseOver(intake: SiteIntake | undefined, nowMs: number): boolean {
  return intake?.paused === true && !isIntakePaused({ intake }, nowMs);
}

function withoutPause({ pausedUntil: _pausedUntil, ...intake }: SiteIntake): SiteIntake {
  return { ...intake, paused: false };
}
