import { create } from "@bufbuild/protobuf";
import { asGiven } from "@petak/lifecycle";
import {
  invalidField,
  PetakError,
  type Site,
  UpsertOutcome,
  type UpsertSitesRequest,
  UpsertSitesRequestSchema,
  type UpsertSitesResponse,
  UpsertSitesResponseSchema,
} from "@petak/protocol";
import type { RequestIds, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { inBatches, parallelWrites } from "./in-batches.ts";
import { checkSiteRules } from "./site-rules.ts";

export interface UpsertSitesDependencies {
  sites: Pick<SiteStore, "check" | "put">;
  requestIds: RequestIds;
  now: () => number;
}

const schemas = { request: UpsertSitesRequestSchema, response: UpsertSitesResponseSchema, bodyNamesNetwork: true };

/**
 * Creates or replaces the caller's sites, identified by their `operator_site_ref`. All sites are validated before the first is written.
 */
export async function upsertSites(
  { sites: store, requestIds, now }: UpsertSitesDependencies,
  request: UpsertSitesRequest,
  caller: ParticipantCaller,
): Promise<UpsertSitesResponse> {
  const sites = request.sites.map((site, index) => ownSite(site, index, caller));
  refuseRepeatedRefs(sites);
  if (request.validateOnly) {
    const before = await Promise.all(sites.map((site) => store.check(site)));
    return create(UpsertSitesResponseSchema, {
      results: sites.map((site, index) => ({
        siteId: before[index]?.site.siteId ?? "",
        operatorSiteRef: site.operatorSiteRef,
        outcome: UpsertOutcome.UNSPECIFIED,
        revision: before[index]?.site.revision ?? 0,
      })),
    });
  }
  return await once(requestIds, caller, schemas, request, async () => {
    await Promise.all(sites.map((site) => store.check(site)));
    const results = await inBatches(sites, parallelWrites, (site) => store.put(site, now()));
    return create(UpsertSitesResponseSchema, {
      results: results.map(({ siteId, outcome, revision }, index) => ({
        siteId,
        operatorSiteRef: sites[index]?.operatorSiteRef ?? "",
        outcome: { created: UpsertOutcome.CREATED, updated: UpsertOutcome.UPDATED, unchanged: UpsertOutcome.UNCHANGED }[outcome],
        revision,
      })),
    });
  });
}

/** The site of the request as the caller's, without the fields that only the gateway sets. */
function ownSite(site: Site, index: number, { participantId, mode }: ParticipantCaller): Site {
  const path = `sites[${index}]`;
  checkSiteRules(site, path);
  const isTest = mode === "test";
  if (site.isTest !== isTest) {
    throw new PetakError("MODE_MISMATCH", `${path}.is_test is ${site.isTest}, but the caller uses a ${mode} key`, {
      fieldViolations: [{ field: `${path}.is_test`, description: `must be ${isTest}`, rule: "site.is_test_matches_key" }],
    });
  }
  return {
    ...site,
    siteId: "",
    operatorId: participantId,
    revision: 0,
    updatedAt: undefined,
    ...(site.terms && { terms: asGiven(site.terms) }),
  };
}

function refuseRepeatedRefs(sites: readonly Site[]): void {
  const seen = new Map<string, number>();
  sites.forEach(({ operatorSiteRef }, index) => {
    const first = seen.get(operatorSiteRef);
    if (first !== undefined) {
      throw invalidField(
        `sites[${index}].operator_site_ref`,
        `must be distinct: ${JSON.stringify(operatorSiteRef)} is also at sites[${first}]`,
        "upsert_sites.refs_distinct",
      );
    }
    seen.set(operatorSiteRef, index);
  });
}
