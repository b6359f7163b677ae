import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import type { Candidate, NearestQuery, PassedOverSites } from "@petak/allocator";
import { asGiven, checkTerms } from "@petak/lifecycle";
import {
  type DirectoryService,
  type FindNearestResponse,
  FindNearestResponseSchema,
  invalidField,
  type PassedOver,
  PassedOverSchema,
  PetakError,
  RetireSitesRequestSchema,
  Role,
  SetDefaultTermsRequestSchema,
  SetDefaultTermsResponseSchema,
  type Site,
  type SiteOption,
  type Terms,
  UpsertOutcome,
  UpsertSitesRequestSchema,
  UpsertSitesResponseSchema,
} from "@petak/protocol";
import { type Allocator, type SiteCache, type StoredSite, siteNotFound, type TermsBook } from "@petak/records";
import { type ParticipantCaller, requireParticipant, requireReader } from "../../identity/index.ts";
import { fingerprintOf } from "../idempotency/fingerprint.ts";
import { createRememberedAnswers } from "../idempotency/once.ts";
import { findNearestQuery } from "../search/nearest-query.ts";
import { summarise } from "../search/site-summary.ts";
import { availabilityOf, freshnessOf } from "./availability.ts";
import { createFoundSites, type FoundSites } from "./found-sites.ts";
import { inBatches } from "./in-batches.ts";
import { reportCapacity } from "./report-capacity.ts";
import { checkSiteRules } from "./site-rules.ts";

/** What the directory needs. */
export interface DirectoryDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  termsBook: TermsBook;
  now: () => number;
}

/** How many sites one call writes at a time: enough to hide the round trips, few enough to leave room for others. */
const parallelWrites = 16;

/** The directory of sites. */
export function createDirectoryService({
  allocator,
  siteCache,
  termsBook,
  now,
}: DirectoryDependencies): ServiceImpl<typeof DirectoryService> {
  const withFacts = createFoundSites({ allocator, siteCache });
  const rememberedAnswers = createRememberedAnswers(allocator.requestIds);

  async function findVisible(siteIds: readonly string[], isTest: boolean): Promise<StoredSite[]> {
    const found = await allocator.sites.findAll(siteIds);
    return found.map((stored, index) => {
      if (stored === undefined || stored.site.isTest !== isTest) throw siteNotFound(siteIds[index] ?? "");
      return stored;
    });
  }

  async function findOwn(siteIds: readonly string[], { participantId, mode }: ParticipantCaller): Promise<StoredSite[]> {
    const found = await findVisible(siteIds, mode === "test");
    for (const { site } of found) {
      if (site.operatorId !== participantId) throw siteNotFound(site.siteId);
    }
    return found;
  }

  function optionsAnswer(found: FoundSites | Promise<FoundSites>, nowMs: number): FindNearestResponse | Promise<FindNearestResponse> {
    return found instanceof Promise
      ? found.then(({ candidates, sites }) => offered(candidates, sites, nowMs))
      : offered(found.candidates, found.sites, nowMs);
  }

  function offered(
    candidates: readonly Candidate[],
    sites: readonly (Site | undefined)[],
    nowMs: number,
  ): FindNearestResponse | Promise<FindNearestResponse> {
    const terms = termsBook.at(sites);
    return terms instanceof Promise
      ? terms.then((known) => answerOf(candidates, sites, known, nowMs))
      : answerOf(candidates, sites, terms, nowMs);
  }

  async function explainedAnswer(
    query: NearestQuery,
    searching: Candidate[] | Promise<Candidate[]>,
    context: HandlerContext,
    nowMs: number,
  ): Promise<FindNearestResponse> {
    const found = await withFacts(query, await searching, context);
    const passedOver = await allocator.passedOver(query, found.candidates, context.signal);
    const response = await optionsAnswer(found, nowMs);
    response.passedOver = toPassedOver(passedOver);
    return response;
  }

  return {
    // Most calls find all that they need in memory, and are answered without waiting for a turn.
    findNearest(request, context) {
      const caller = requireReader(context);
      const nowMs = now();
      const query = findNearestQuery(request, caller.mode === "test", nowMs);
      const candidates = allocator.nearest(query, context);
      if (request.countPassedOver) return explainedAnswer(query, candidates, context, nowMs);
      if (!(candidates instanceof Promise)) return optionsAnswer(withFacts(query, candidates, context), nowMs);
      return candidates.then((found) => optionsAnswer(withFacts(query, found, context), nowMs));
    },

    async getSite(request, context) {
      const caller = requireReader(context);
      const [stored] = await findVisible([request.siteId], caller.mode === "test");
      return stored === undefined ? {} : { site: stored.site, terms: await termsBook.atSite(stored.site) };
    },

    async getAvailability(request, context) {
      const caller = requireReader(context);
      const nowMs = now();
      const found = await findVisible(request.siteIds, caller.mode === "test");
      return { availabilities: found.map((stored) => availabilityOf(stored, nowMs)) };
    },

    async upsertSites(request, context) {
      const caller = requireParticipant(context, { roles: [Role.OPERATOR] });
      const isTest = caller.mode === "test";
      const sites = request.sites.map((site, index) => ownSite(site, index, caller.participantId, isTest));
      refuseRepeatedRefs(sites);
      if (request.validateOnly) {
        const before = await Promise.all(sites.map((site) => allocator.sites.check(site)));
        return {
          results: sites.map((site, index) => ({
            siteId: before[index]?.site.siteId ?? "",
            operatorSiteRef: site.operatorSiteRef,
            outcome: UpsertOutcome.UNSPECIFIED,
            revision: before[index]?.site.revision ?? 0,
          })),
        };
      }
      const { participantId } = caller;
      const { requestId } = request;
      const fingerprint = fingerprintOf(UpsertSitesRequestSchema, request);
      if (await allocator.requestIds.claim(participantId, requestId, fingerprint)) {
        const kept = await allocator.requestIds.kept(participantId, requestId, fingerprint);
        if (kept !== undefined) return fromBinary(UpsertSitesResponseSchema, kept);
      }
      // Whatever would be refused is refused before the first site is written.
      await Promise.all(sites.map((site) => allocator.sites.check(site)));
      const results = await inBatches(sites, parallelWrites, (site) => allocator.sites.put(site, now()));
      const response = create(UpsertSitesResponseSchema, {
        results: results.map(({ siteId, outcome, revision }, index) => ({
          siteId,
          operatorSiteRef: sites[index]?.operatorSiteRef ?? "",
          outcome: { created: UpsertOutcome.CREATED, updated: UpsertOutcome.UPDATED, unchanged: UpsertOutcome.UNCHANGED }[outcome],
          revision,
        })),
      });
      return fromBinary(
        UpsertSitesResponseSchema,
        await allocator.requestIds.keep(participantId, requestId, fingerprint, toBinary(UpsertSitesResponseSchema, response)),
      );
    },

    async reportCapacity(request, context) {
      const caller = requireParticipant(context, { roles: [Role.OPERATOR] });
      const findOwnSites = (siteIds: readonly string[]) => findOwn(siteIds, caller);
      return await reportCapacity({ allocator, now, findOwn: findOwnSites }, caller.participantId, request);
    },

    async setDefaultTerms(request, context) {
      const caller = requireParticipant(context, { roles: [Role.OPERATOR] });
      const { terms } = request;
      if (terms === undefined) throw new TypeError("validation let an empty field through");
      checkTerms(terms, "terms");
      const schemas = { request: SetDefaultTermsRequestSchema, answer: SetDefaultTermsResponseSchema };
      return await rememberedAnswers.once(caller, schemas, request, async () => {
        await termsBook.setDefault({ operatorId: caller.participantId, isTest: caller.mode === "test" }, asGiven(terms));
        return create(SetDefaultTermsResponseSchema);
      });
    },

    async retireSites(request, context) {
      const caller = requireParticipant(context, { roles: [Role.OPERATOR] });
      const { participantId } = caller;
      const { requestId } = request;
      const fingerprint = fingerprintOf(RetireSitesRequestSchema, request);
      if (await allocator.requestIds.claim(participantId, requestId, fingerprint)) {
        if ((await allocator.requestIds.kept(participantId, requestId, fingerprint)) !== undefined) return {};
      }
      const found = await findOwn(request.siteIds, caller);
      await inBatches(found, parallelWrites, ({ site }) => allocator.sites.retire(site.siteId, now()));
      await allocator.requestIds.keep(participantId, requestId, fingerprint, new Uint8Array());
      return {};
    },
  };
}

function toPassedOver({ withinM, counts }: PassedOverSites): PassedOver {
  return create(PassedOverSchema, { withinM, counts: [...counts].map(([reason, sites]) => ({ reason, sites })) });
}

function answerOf(
  candidates: readonly Candidate[],
  sites: readonly (Site | undefined)[],
  terms: readonly (Terms | undefined)[],
  nowMs: number,
): FindNearestResponse {
  const response = create(FindNearestResponseSchema);
  for (let index = 0; index < candidates.length; index++) {
    const [site, siteTerms] = [sites[index], terms[index]];
    if (site !== undefined && siteTerms !== undefined)
      response.options.push(optionOf(candidates[index] as Candidate, site, siteTerms, nowMs));
  }
  return response;
}

function optionOf({ classes, distanceM, observation }: Candidate, site: Site, terms: Terms, nowMs: number): SiteOption {
  const best = classes[0];
  const { observedAt, ttl } = freshnessOf(observation, nowMs);
  // A message as it stands: what makes one of its fields looks at every field again.
  return {
    $typeName: "petak.v1.SiteOption",
    site: summarise(site, terms),
    distanceM,
    sizeClassId: site.sizeClasses[best?.index ?? 0]?.sizeClassId ?? "",
    freeToPromise: best?.free ?? 0,
    observedAt,
    ttl,
  };
}

function ownSite(site: Site, index: number, operatorId: string, isTest: boolean): Site {
  const path = `sites[${index}]`;
  checkSiteRules(site, path);
  if (site.isTest !== isTest) {
    throw new PetakError("MODE_MISMATCH", `${path}.is_test is ${site.isTest}, but the caller uses a ${isTest ? "test" : "live"} key`, {
      fieldViolations: [{ field: `${path}.is_test`, description: `must be ${isTest}`, rule: "site.is_test_matches_key" }],
    });
  }
  return { ...site, siteId: "", operatorId, revision: 0, updatedAt: undefined, ...(site.terms && { terms: asGiven(site.terms) }) };
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
