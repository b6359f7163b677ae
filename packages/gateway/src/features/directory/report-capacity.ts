import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
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
import type { Allocator, CapacityReport, StoredSite } from "@petak/records";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { refuseFuture, reportedClasses } from "./capacity-rules.ts";
import { inBatches } from "./in-batches.ts";

/** How long a report holds where it does not say, in s: no snapshot may be older than five minutes. */
const defaultTtlS = 300;

/** How many sites one call writes at a time. */
const parallelWrites = 16;

/** What recording reports needs. */
export interface ReportCapacityDependencies {
  allocator: Allocator;
  now: () => number;
  /** The sites, if all of them are the caller's own. */
  findOwn(siteIds: readonly string[]): Promise<StoredSite[]>;
}

/** Records what an operator reports of its sites, each by itself; a repetition is answered as the first was. */
export async function reportCapacity(
  { allocator, now, findOwn }: ReportCapacityDependencies,
  participantId: string,
  request: ReportCapacityRequest,
): Promise<ReportCapacityResponse> {
  const { requestId } = request;
  refuseRepeatedSites(request.sites);
  const reports = request.sites.map((capacity, index) => toReport(capacity, now(), `sites[${index}]`));
  const fingerprint = fingerprintOf(ReportCapacityRequestSchema, request);
  if (await allocator.requestIds.claim(participantId, requestId, fingerprint)) {
    const kept = await allocator.requestIds.kept(participantId, requestId, fingerprint);
    if (kept !== undefined) return fromBinary(ReportCapacityResponseSchema, kept);
  }
  const stored = await findOwn(reports.map(({ siteId }) => siteId));
  const found = reports.map((report, index) => ({ report, stored: stored[index] as StoredSite }));
  // Whatever would be refused is refused before the first report is recorded.
  for (const { report, stored: site } of found) report.classesOf(site);
  const outcomes = await inBatches(found, parallelWrites, ({ report, stored: site }) =>
    allocator.capacityReports.record(report, site, now()),
  );
  const response = create(ReportCapacityResponseSchema, {
    results: outcomes.map((outcome, index) => ({
      siteId: request.sites[index]?.siteId ?? "",
      outcome: { recorded: ReportCapacityOutcome.RECORDED, outdated: ReportCapacityOutcome.OUTDATED }[outcome],
    })),
  });
  return fromBinary(
    ReportCapacityResponseSchema,
    await allocator.requestIds.keep(participantId, requestId, fingerprint, toBinary(ReportCapacityResponseSchema, response)),
  );
}

function toReport({ siteId, observedAt, ttl, reportingEnded, sizeClasses }: SiteCapacity, nowMs: number, path: string): CapacityReport {
  if (observedAt === undefined) throw new TypeError("validation let an empty field through");
  const observedAtMs = timestampMs(observedAt);
  refuseFuture(observedAtMs, nowMs, path);
  return {
    siteId,
    observedAtMs,
    ttlS: ttl === undefined ? defaultTtlS : Math.floor(durationMs(ttl) / 1000),
    classesOf: ({ site }) => (reportingEnded ? "own_counts" : reportedClasses(site, sizeClasses, path)),
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
