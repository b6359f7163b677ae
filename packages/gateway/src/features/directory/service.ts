import type { ServiceImpl } from "@connectrpc/connect";
import type { SiteSearch } from "@petak/allocator";
import { type DirectoryService, Role } from "@petak/protocol";
import type { Records, SiteCache, TermsBook } from "@petak/records";
import { requireParticipant, requireReader } from "../../identity/index.ts";
import { findNearest } from "./find-nearest.ts";
import { getAvailability } from "./get-availability.ts";
import { getSite } from "./get-site.ts";
import { reportCapacity } from "./report-capacity.ts";
import { retireSites } from "./retire-sites.ts";
import { setDefaultTerms } from "./set-default-terms.ts";
import { upsertSites } from "./upsert-sites.ts";

export interface DirectoryDependencies {
  search: SiteSearch;
  records: Pick<Records, "sites" | "capacityReports" | "requestIds">;
  siteCache: Pick<SiteCache, "facts">;
  termsBook: TermsBook;
  now: () => number;
}

const operators = { roles: [Role.OPERATOR] };

/** Creates the directory service: for each call its handler, and the roles that may make it. */
export function createDirectoryService({
  search,
  records,
  siteCache,
  termsBook,
  now,
}: DirectoryDependencies): ServiceImpl<typeof DirectoryService> {
  const { sites, capacityReports, requestIds } = records;
  const dependencies = { search, siteFacts: siteCache, sites, capacityReports, requestIds, termsBook, now };
  return {
    findNearest: (request, context) => findNearest(dependencies, request, requireReader(context), context),
    getSite: (request, context) => getSite(dependencies, request, requireReader(context)),
    getAvailability: (request, context) => getAvailability(dependencies, request, requireReader(context)),
    upsertSites: (request, context) => upsertSites(dependencies, request, requireParticipant(context, operators)),
    reportCapacity: (request, context) => reportCapacity(dependencies, request, requireParticipant(context, operators)),
    setDefaultTerms: (request, context) => setDefaultTerms(dependencies, request, requireParticipant(context, operators)),
    retireSites: (request, context) => retireSites(dependencies, request, requireParticipant(context, operators)),
  };
}
