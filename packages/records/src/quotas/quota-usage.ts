import type { ModeName, Region } from "@petak/protocol";
import type { KeyKind, Keys, RedisConnection } from "@petak/redis";
import { defaultQuotas, type Quotas } from "./quotas.ts";

/** What a participant has in one network of what is counted. */
export interface QuotaUsage {
  readonly quotas: Readonly<Quotas>;
  /** Keys of one kind that are not revoked. */
  keys(kind: KeyKind, mode: ModeName, participantId: string): Promise<number>;
  /** Sites of an operator, including retired ones that have not ended. */
  sites(mode: ModeName, operatorId: string): Promise<number>;
  /** Different terms that an operator has stated. */
  terms(mode: ModeName, operatorId: string): Promise<number>;
  /** Different size profiles and opening times of an operator's sites in a region. */
  inRegion(region: Region, mode: ModeName, operatorId: string): Promise<{ sizeProfiles: number; openingTimes: number }>;
}

/** Reads what is counted from Redis. */
export function createQuotaUsage(redis: RedisConnection, keys: Keys, quotas: Quotas = defaultQuotas): QuotaUsage {
  return {
    quotas,
    keys: (kind, mode, participantId) => redis.zcount(keys.keysOf(kind, mode, participantId), 0, "+inf"),
    sites: (mode, operatorId) => redis.scard(keys.operatorSites(mode, operatorId)),
    terms: (mode, operatorId) => redis.scard(keys.operatorTerms({ operatorId, isTest: mode === "test" })),
    async inRegion(region, mode, operatorId) {
      const number = await redis.hget(keys.operatorNumbers(), operatorId);
      // As lua/includes/region-lists.lua names owners.
      const owner = `${number}${mode === "test" ? "t" : "l"}`;
      const [profiles, times] = await Promise.all([
        redis.hget(keys.profileUses(region), owner),
        redis.hget(keys.openingTimesUses(region), owner),
      ]);
      return { sizeProfiles: Number(profiles ?? 0), openingTimes: Number(times ?? 0) };
    },
  };
}
