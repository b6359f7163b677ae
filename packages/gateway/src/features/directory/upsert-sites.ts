import { create } from "@bufbuild/protobuf";
import { asGiven, siteMoveMaxM } from "@petak/lifecycle";
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
import { type RequestIds, type SiteStore, type TermsBook, undecidedM } from "@petak/records";
import { type ParticipantCaller, proofRequired } from "../../identity/index.ts";
import type { GrowthGuard } from "../../store-watch/store-fill.ts";
import { once } from "../idempotency/once.ts";
import { inBatches, parallelWrites } from "./in-batches.ts";
import { livePolicy } from "./live-policy.ts";
import { checkSiteRules } from "./site-rules.ts";

export interface UpsertSitesDependencies {
  sites: Pick<SiteStore, "check" | "put">;
  requestIds: RequestIds;
  termsBook: Pick<TermsBook, "claim" | "checkClaim">;
  growth: Pick<GrowthGuard, "refuseNew">;
  now: () => number;
}

const schemas = { request: UpsertSitesRequestSchema, response: UpsertSitesResponseSchema, bodyNamesNetwork: true };

/**
 * Creates or replaces the caller's sites, identified by their `operator_site_ref`. All sites are validated, and all limits looked at, before the first is written.
 *
 * @param isProven whether a proof came with the call
 * @param onChange called before the first write
 */
export async function upsertSites(
  { sites: store, requestIds, termsBook, growth, now }: UpsertSitesDependencies,
  request: UpsertSitesRequest,
  caller: ParticipantCaller,
  isProven: boolean,
  onChange: () => void,
): Promise<UpsertSitesResponse> {
  const sites = request.sites.map((site, index) => ownSite(site, index, caller));
  refuseRepeatedRefs(sites);
  const live = livePolicy(request);
  const terms = sites.flatMap((site) => site.terms ?? []);
  const owner = { operatorId: caller.participantId, isTest: caller.mode === "test" };
  if (request.validateOnly) {
    const { before } = await store.check(sites, live);
    await termsBook.checkClaim(owner, terms);
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
    const { before, isAnyOrder } = await store.check(sites, live);
    if (!isProven) for (const [index, site] of sites.entries()) refuseUnproven(before[index]?.site, site);
    if (before.includes(undefined)) growth.refuseNew(caller.mode);
    onChange();
    if (terms.length > 0) await termsBook.claim(owner, terms);
    // Again with each write, so that what others write meanwhile is judged too.
    const results = await inBatches(sites, isAnyOrder ? parallelWrites : 1, (site) =>
      store.put(site, now(), live, isProven ? undefined : (stored) => refuseUnproven(stored, site)),
    );
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
    draining: false,
    movedFrom: undefined,
    intake: undefined,
    revision: 0,
    updatedAt: undefined,
    ...(site.terms && { terms: asGiven(site.terms) }),
  };
}

/** Throws PROOF_REQUIRED if the change takes the site's own terms away or moves it far. What the message alone shows was judged before. */
function refuseUnproven(before: Site | undefined, after: Site): void {
  if (before === undefined) return;
  const site = `site ${before.siteId} (${JSON.stringify(before.operatorSiteRef)})`;
  if (before.terms !== undefined && after.terms === undefined) throw proofRequired(`taking the terms of ${site} away`);
  const moved = undecidedM(before, after);
  if (moved > siteMoveMaxM) throw proofRequired(`moving ${site} by ${Math.ceil(moved)} m in all, more than ${siteMoveMaxM} m,`);
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
