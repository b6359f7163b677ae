import { PetakError } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../create-script.ts";

import { cellOf, siteRecordHead } from "../sites/site-record.ts";
import { type SiteStore, type StoredSite, siteNumberBytes } from "../sites/site-store.ts";

/** What a site says of its places of one size class; the rest of those installed are free. */
export interface ClassReport {
  /** Places that work and have something inside, whoever put it there. */
  occupied: number;
  /** Places that do not work. */
  outOfService: number;
}

/** What a site says of all its places. */
export interface CapacityReport {
  siteId: string;
  /** When it was so, in ms. */
  observedAtMs: number;
  /** How long that holds, in whole s from 1 to 65534. Not looked at where the reports end. */
  ttlS: number;
  /**
   * What is said of each size class, in the order of the site as it is stored; or that no reports come any more, and the gateway's own counts
   * hold. It is asked again where the site's facts have changed meanwhile, and may throw.
   */
  classesOf(stored: StoredSite): readonly ClassReport[] | "own_counts";
}

/** `outdated`: nothing has changed, since it may lack what is recorded, or since it holds no more. */
export type ReportOutcome = "recorded" | "outdated";

/** What operators report of their sites' places. */
export interface CapacityReports {
  /**
   * Reconciles a report with the holds and the parcels that are recorded, and puts it in force. The same report once more has the same outcome.
   *
   * @param stored The site as the caller read it.
   * @throws {PetakError} CONFLICT where the site's facts kept changing.
   */
  record(report: CapacityReport, stored: StoredSite, nowMs: number): Promise<ReportOutcome>;
}

/** How often a report is tried against changes of its site's facts. */
const maxAttempts = 5;

const reportScript = createScript("report-capacity");

/** Records reports in Redis. */
export function createCapacityReports(redis: RedisConnection, keys: Keys, siteIds: SiteIds, sites: SiteStore): CapacityReports {
  return {
    async record(report, first, nowMs) {
      const { siteId, observedAtMs, ttlS } = report;
      const { region, siteNumber } = siteIds.require(siteId);
      let stored: StoredSite | undefined = first;
      for (let attempt = 0; attempt < maxAttempts && stored !== undefined; attempt++) {
        const classes = report.classesOf(stored);
        const [tag] = await reportScript(
          redis,
          [
            keys.site(region, siteNumber),
            keys.block(region, cellOf(stored)),
            keys.siteCounts(region, cellOf(stored)),
            keys.waiting(region),
            keys.deadlines(region),
            keys.events(region),
            keys.siteCompartments(region, siteNumber),
            keys.siteAllowed(region, siteNumber),
            keys.siteAllowedVersion(region, siteNumber),
          ],
          [
            siteNumberBytes(siteNumber),
            siteRecordHead(stored),
            observedAtMs,
            classes === "own_counts" ? "-" : ttlS,
            classes === "own_counts" ? "" : encodeClasses(classes),
            nowMs,
            keys.reservationPrefix(region),
          ],
        );
        if (tag !== "stale") return tag as ReportOutcome;
        stored = await sites.find(siteId);
      }
      throw new PetakError("CONFLICT", `site ${siteId} was changed concurrently too often; send the same request again`, {
        metadata: { site_id: siteId },
      });
    },
  };
}

/** Occupied and out of service of each class, u16 each, little-endian, as lua/report-capacity.lua reads them. */
function encodeClasses(classes: readonly ClassReport[]): Buffer {
  const bytes = Buffer.alloc(classes.length * 4);
  classes.forEach(({ occupied, outOfService }, index) => {
    bytes.writeUInt16LE(occupied, index * 4);
    bytes.writeUInt16LE(outOfService, index * 4 + 2);
  });
  return bytes;
}
