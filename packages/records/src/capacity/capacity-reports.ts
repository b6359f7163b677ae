import { PetakError } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { createScript } from "../lua/create-script.ts";
import { placesCaps } from "../sites/site-intake.ts";
import { cellOf, siteRecordHead } from "../sites/site-record.ts";
import { type SiteStore, type StoredSite, siteNumberBytes } from "../sites/site-store.ts";

/** A site's report on its places of one size class. The other installed places are free. */
export interface ClassReport {
  /** Places in working order that contain anything. */
  occupied: number;
  /** Places out of order. */
  outOfService: number;
}

/** A capacity report: an operator's snapshot of all places of a site, or the end of its reporting. */
export interface CapacityReport {
  siteId: string;
  /** When the snapshot was taken, in ms since 1970. */
  observedAtMs: number;
  /** How long the report is valid, in whole s from 1 to 65534. Not used if the reporting ends. */
  ttlS: number;
  /**
   * The report on each size class, in the order of the stored site. `reporting_ended`: the gateway's own counts apply from now on. Called again if the site's
   * facts have changed meanwhile. May throw.
   */
  classesOf(stored: StoredSite): readonly ClassReport[] | "reporting_ended";
}

/** `outdated`: nothing was changed, since the report may lack recorded movements or is not valid any more. */
export type ReportOutcome = "recorded" | "outdated";

/** Records capacity reports. */
export interface CapacityReports {
  /**
   * Reconciles a report with the recorded holds and parcels, and applies it. Idempotent: the same report again has the same outcome.
   *
   * @param stored the site as the caller read it
   * @param nowMs the gateway's time, in ms since 1970
   * @throws {PetakError} CONFLICT if the site's facts were changed concurrently too often.
   */
  record(report: CapacityReport, stored: StoredSite, nowMs: number): Promise<ReportOutcome>;
}

/** The most attempts at a report while its site's facts change. */
const maxAttempts = 5;

const reportScript = createScript("report-capacity");

/** Records capacity reports in Redis. */
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
            keys.siteShortages(region),
          ],
          [
            siteNumberBytes(siteNumber),
            siteRecordHead(stored),
            observedAtMs,
            classes === "reporting_ended" ? "-" : ttlS,
            classes === "reporting_ended" ? "" : encodeClasses(classes),
            nowMs,
            keys.reservationPrefix(region),
            placesCaps(stored.site),
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

/** Encodes the counts of each class for lua/report-capacity.lua: occupied and out of service, u16 each, little-endian. */
function encodeClasses(classes: readonly ClassReport[]): Buffer {
  const bytes = Buffer.alloc(classes.length * 4);
  classes.forEach(({ occupied, outOfService }, index) => {
    bytes.writeUInt16LE(occupied, index * 4);
    bytes.writeUInt16LE(outOfService, index * 4 + 2);
  });
  return bytes;
}
