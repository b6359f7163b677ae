import { create } from "@bufbuild/protobuf";
import { durationMs, timestampMs } from "@bufbuild/protobuf/wkt";
import {
  invalidField,
  ReportCapacityOutcome,
  type ReportCapacityRequest,
  ReportCapacityRequestSchema,
  type ReportCapacityResponse,
  ReportCapacityResponseSchema,
  type SiteCapacity,
} from "@petak/protocol";
import type { CapacityReport, CapacityReports, RequestIds, SiteStore, StoredSite } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { findOwnSites } from "../sites/find-sites.ts";
import { refuseFuture, reportedClasses } from "./capacity-rules.ts";
import { inBatches, parallelWrites } from "./in-batches.ts";

/** Validity of a report if it does not specify it, in s: no snapshot may be older than five minutes. */
const defaultTtlS = 300;

export interface ReportCapacityDependencies {
  sites: Pick<SiteStore, "findAll">;
  capacityReports: CapacityReports;
  requestIds: RequestIds;
  now: () => number;
}

const schemas = { request: ReportCapacityRequestSchema, response: ReportCapacityResponseSchema, bodyNamesNetwork: true };

/**
 * Records the caller's capacity reports, each site separately. All reports are validated before the first is recorded.
 */
export async function reportCapacity(
  { sites, capacityReports, requestIds, now }: ReportCapacityDependencies,
  request: ReportCapacityRequest,
  caller: ParticipantCaller,
): Promise<ReportCapacityResponse> {
  refuseRepeatedSites(request.sites);
  const reports = request.sites.map((capacity, index) => toReport(capacity, now(), `sites[${index}]`));
  return await once(requestIds, caller, schemas, request, async () => {
    const siteIds = reports.map(({ siteId }) => siteId);
    const stored = await findOwnSites(sites, siteIds, caller);
    const found = reports.map((report, index) => ({ report, site: stored[index] as StoredSite }));
    for (const { report, site } of found) report.classesOf(site);
    const outcomes = await inBatches(found, parallelWrites, ({ report, site }) => capacityReports.record(report, site, now()));
    return create(ReportCapacityResponseSchema, {
      results: outcomes.map((outcome, index) => ({
        siteId: siteIds[index] ?? "",
        outcome: { recorded: ReportCapacityOutcome.RECORDED, outdated: ReportCapacityOutcome.OUTDATED }[outcome],
      })),
    });
  });
}

function toReport({ siteId, observedAt, ttl, reportingEnded, sizeClasses }: SiteCapacity, nowMs: number, path: string): CapacityReport {
  if (observedAt === undefined) throw new TypeError("validation accepted an empty field");
  const observedAtMs = timestampMs(observedAt);
  refuseFuture(observedAtMs, nowMs, path);
  return {
    siteId,
    observedAtMs,
    ttlS: ttl === undefined ? defaultTtlS : Math.floor(durationMs(ttl) / 1000),
    classesOf: ({ site }) => (reportingEnded ? "reporting_ended" : reportedClasses(site, sizeClasses, path)),
  };
}

function refuseRepeatedSites(sites: readonly SiteCapacity[]): void {
  const seen = new Map<string, number>();
  sites.forEach(({ siteId }, index) => {
    const first = seen.get(siteId);
    if (first !== undefined) {
      throw invalidField(
        `sites[${index}].site_id`,
        `must be distinct: ${siteId} is also at sites[${first}]`,
        "report_capacity.sites_distinct",
      );
    }
    seen.set(siteId, index);
  });
}
