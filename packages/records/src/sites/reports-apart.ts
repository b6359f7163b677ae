import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { type ReportKeptApart, ReportKeptApartSchema } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";

/** Reports of devices that are not in charge, which are kept and believed by nobody. */
export interface ReportsApart {
  /** Keeps a report, for {@link reportsApartKeptMs}. Idempotent. Returns false if the site has {@link reportsApartMax}. */
  keep(siteId: string, report: ReportKeptApart): Promise<boolean>;
  /** All of a site, in no order. */
  at(siteId: string): Promise<ReportKeptApart[]>;
}

/** Reports that are kept of a site, so that a key in wrong hands fills no store. */
export const reportsApartMax = 500;

/** How long the reports of a site are kept after the last of them came, in ms. */
export const reportsApartKeptMs = 90 * 86_400_000;

const claimScript = createScript("claim-field");

/** Keeps reports in Redis. */
export function createReportsApart(redis: RedisConnection, keys: Keys, siteIds: SiteIds): ReportsApart {
  function nameOf(siteId: string): string {
    const { region, siteNumber } = siteIds.require(siteId);
    return keys.siteReportsApart(region, siteNumber);
  }

  return {
    async keep(siteId, report) {
      const [name, field] = [nameOf(siteId), `${report.keyId} ${report.event?.deviceEventId ?? ""}`];
      const [tag] = await claimScript(redis, [name], [field, Buffer.from(toBinary(ReportKeptApartSchema, report)), reportsApartMax]);
      await redis.pexpire(name, reportsApartKeptMs);
      return tag === "claimed";
    },
    async at(siteId) {
      const kept = await redis.hvalsBuffer(nameOf(siteId));
      return kept.map((bytes) => fromBinary(ReportKeptApartSchema, bytes));
    },
  };
}
