import type { ServiceImpl } from "@connectrpc/connect";
import type { SiteSearch } from "@petak/allocator";
import { type DirectoryService, Role } from "@petak/protocol";
import type { OperatorLinksStore, OperatorNames, ParticipantStore, Records, SiteCache, TermsBook } from "@petak/records";
import { isProvenKey, requireParticipant, requireReader } from "../../identity/index.ts";
import type { GrowthGuard } from "../../store-watch/store-fill.ts";
import { noteChange, noteUnchanged } from "../audit/audited.ts";
import type { Choices } from "../choice/choices.ts";
import { checkFit } from "./check-fit.ts";
import { findNearest } from "./find-nearest.ts";
import { getAvailability } from "./get-availability.ts";
import { getOperator } from "./get-operator.ts";
import { getSite } from "./get-site.ts";
import { listSites } from "./list-sites.ts";
import { reportCapacity } from "./report-capacity.ts";
import { retireSites } from "./retire-sites.ts";
import { setDefaultTerms } from "./set-default-terms.ts";
import { upsertSites } from "./upsert-sites.ts";

export interface DirectoryDependencies {
  search: SiteSearch;
  records: Pick<Records, "sites" | "listedSites" | "siteIds" | "capacityReports" | "requestIds">;
  siteCache: Pick<SiteCache, "facts">;
  termsBook: TermsBook;
  participants: Pick<ParticipantStore, "find">;
  operatorLinks: Pick<OperatorLinksStore, "find">;
  operatorNames: Pick<OperatorNames, "at">;
  choices: Pick<Choices, "sign">;
  growth: Pick<GrowthGuard, "refuseNew">;
  now: () => number;
}

const operators = { roles: [Role.OPERATOR] };

/** Creates the directory service: for each call its handler, and the roles that may make it. */
export function createDirectoryService({
  search,
  records,
  siteCache,
  termsBook,
  participants,
  operatorLinks,
  operatorNames,
  choices,
  growth,
  now,
}: DirectoryDependencies): ServiceImpl<typeof DirectoryService> {
  const { sites, listedSites, siteIds, capacityReports, requestIds } = records;
  const dependencies = {
    ...{ search, siteFacts: siteCache, sites, listedSites, siteIds, capacityReports, requestIds, termsBook },
    ...{ participants, operatorLinks, operatorNames, choices, growth, now },
  };
  return {
    findNearest: (request, context) => findNearest(dependencies, request, requireReader(context), context),
    getSite: (request, context) => getSite(dependencies, request, requireReader(context)),
    listSites: (request, context) => listSites(dependencies, request, requireReader(context)),
    getOperator: (request, context) => getOperator(dependencies, request, requireReader(context)),
    getAvailability: (request, context) => getAvailability(dependencies, request, requireReader(context)),
    checkFit: (request, context) => checkFit(dependencies, request, requireReader(context)),
    upsertSites: (request, context) =>
      upsertSites(dependencies, request, requireParticipant(context, operators), context.values.get(isProvenKey), noteChange(context)),
    reportCapacity: (request, context) => reportCapacity(dependencies, request, requireParticipant(context, operators)),
    setDefaultTerms: (request, context) =>
      setDefaultTerms(dependencies, request, requireParticipant(context, operators), noteUnchanged(context)),
    retireSites: (request, context) =>
      retireSites(dependencies, request, requireParticipant(context, operators), noteChange(context), noteUnchanged(context)),
  };
}
