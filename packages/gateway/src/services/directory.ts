import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { ServiceImpl } from "@connectrpc/connect";
import { type Allocator, freeToPromise, type StoredSite } from "@petak/allocator";
import {
  AvailabilityState,
  type DirectoryService,
  FindNearestResponseSchema,
  invalidField,
  PetakError,
  parseSiteId,
  RetireSitesRequestSchema,
  Role,
  type Site,
  SiteAvailabilitySchema,
  SiteLifecycle,
  UpsertOutcome,
  UpsertSitesRequestSchema,
  UpsertSitesResponseSchema,
} from "@petak/protocol";
import { fingerprintOf } from "../domain/fingerprint.ts";
import { checkSiteRules } from "../domain/site-rules.ts";
import { requireParticipant, requireReader } from "../identity/index.ts";
import type { SiteCache } from "../stores/site-cache.ts";
import { summarise } from "./site-summary.ts";

/** What the directory needs. */
export interface DirectoryDependencies {
  allocator: Allocator;
  siteCache: SiteCache;
  now: () => number;
}

/** Options given where a caller does not say how many. */
const defaultLimit = 5;

/**
 * How long a count may be relied on after it was read. The gateway's own records are the counts' source, so they are true when read; a
 * minute is what the field asks of fresh availability at the 99th percentile.
 */
const availabilityTtlMs = 60_000;

/** How many sites one call writes at a time: enough to hide the round trips, few enough to leave room for others. */
const parallelWrites = 16;

/** The directory of sites. */
export function createDirectoryService({ allocator, siteCache, now }: DirectoryDependencies): ServiceImpl<typeof DirectoryService> {
  async function findVisible(siteIds: readonly string[], isTest: boolean): Promise<StoredSite[]> {
    const found = await allocator.sites.findAll(siteIds);
    return found.map((stored, index) => {
      if (stored === undefined || stored.site.isTest !== isTest) throw siteNotFound(siteIds[index] ?? "");
      return stored;
    });
  }

  return {
    async findNearest(request, context) {
      const caller = requireReader(context);
      const { origin, parcel } = request;
      if (origin === undefined || parcel === undefined) throw new TypeError("validation let an empty field through");
      const observedAt = timestampFromMs(now());
      const candidates = await allocator.nearest(
        {
          origin,
          parcel,
          purpose: request.purpose,
          isTest: caller.mode === "test",
          limit: request.limit === 0 ? defaultLimit : request.limit,
          radiusM: request.radiusM === 0 ? Number.POSITIVE_INFINITY : request.radiusM,
          kinds: request.kinds,
          operatorIds: request.operatorIds,
          excludedOperatorIds: request.excludedOperatorIds,
        },
        context.signal,
      );
      const sites = await siteCache.facts(candidates);
      return create(FindNearestResponseSchema, {
        options: candidates.flatMap((candidate, index) => {
          const site = sites[index];
          const [best] = candidate.classes;
          if (site === undefined || best === undefined) return [];
          return {
            site: summarise(site),
            distanceM: candidate.distanceM,
            sizeClassId: site.sizeClasses[best.index]?.sizeClassId ?? "",
            freeToPromise: best.free,
            observedAt,
            ttl: durationFromMs(availabilityTtlMs),
          };
        }),
      });
    },

    async getSite(request, context) {
      const caller = requireReader(context);
      const [stored] = await findVisible([request.siteId], caller.mode === "test");
      return { site: stored?.site };
    },

    async getAvailability(request, context) {
      const caller = requireReader(context);
      const observedAt = timestampFromMs(now());
      const found = await findVisible(request.siteIds, caller.mode === "test");
      return { availabilities: found.map((stored) => availabilityOf(stored, observedAt)) };
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
      if (await allocator.requestIds.claim(participantId, requestId, fingerprintOf(UpsertSitesRequestSchema, request))) {
        const kept = await allocator.requestIds.kept(participantId, requestId);
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
        await allocator.requestIds.keep(participantId, requestId, toBinary(UpsertSitesResponseSchema, response)),
      );
    },

    async retireSites(request, context) {
      const caller = requireParticipant(context, { roles: [Role.OPERATOR] });
      const { participantId } = caller;
      const { requestId } = request;
      if (await allocator.requestIds.claim(participantId, requestId, fingerprintOf(RetireSitesRequestSchema, request))) {
        if ((await allocator.requestIds.kept(participantId, requestId)) !== undefined) return {};
      }
      const found = await findVisible(request.siteIds, caller.mode === "test");
      for (const { site } of found) {
        if (site.operatorId !== caller.participantId) throw siteNotFound(site.siteId);
      }
      await inBatches(found, parallelWrites, ({ site }) => allocator.sites.retire(site.siteId, now()));
      await allocator.requestIds.keep(participantId, requestId, new Uint8Array());
      return {};
    },
  };
}

/** The error for a site that does not exist, or that the caller may not know of: the two look the same. */
export function siteNotFound(siteId: string): PetakError {
  const hint = parseSiteId(siteId) === undefined ? "; a site id looks like site_83652b_4k" : "";
  return new PetakError("SITE_NOT_FOUND", `no site ${JSON.stringify(siteId)}${hint}`, { metadata: { site_id: siteId } });
}

function ownSite(site: Site, index: number, operatorId: string, isTest: boolean): Site {
  const path = `sites[${index}]`;
  checkSiteRules(site, path);
  if (site.isTest !== isTest) {
    throw new PetakError("MODE_MISMATCH", `${path}.is_test is ${site.isTest}, but the key is a ${isTest ? "test" : "live"} key`, {
      fieldViolations: [{ field: `${path}.is_test`, description: `must be ${isTest}`, rule: "site.is_test_matches_key" }],
    });
  }
  return { ...site, siteId: "", operatorId, revision: 0, updatedAt: undefined };
}

function refuseRepeatedRefs(sites: readonly Site[]): void {
  const seen = new Map<string, number>();
  sites.forEach(({ operatorSiteRef }, index) => {
    const first = seen.get(operatorSiteRef);
    if (first !== undefined) {
      throw invalidField(
        `sites[${index}].operator_site_ref`,
        `${JSON.stringify(operatorSiteRef)} stands at sites[${first}] too`,
        "upsert_sites.refs_distinct",
      );
    }
    seen.set(operatorSiteRef, index);
  });
}

function availabilityOf({ site, counts, isOffered }: StoredSite, observedAt: ReturnType<typeof timestampFromMs>) {
  return create(SiteAvailabilitySchema, {
    siteId: site.siteId,
    state: AvailabilityState.KNOWN,
    acceptingDeposits: isOffered,
    acceptingCollections: site.lifecycle !== SiteLifecycle.PLANNED,
    sizeClasses: site.sizeClasses.map(({ sizeClassId }, index) => {
      const count = counts[index] ?? { installed: 0, inService: 0, occupied: 0, held: 0 };
      return { sizeClassId, ...count, freeToPromise: freeToPromise(count) };
    }),
    observedAt,
    publishedAt: observedAt,
    ttl: durationFromMs(availabilityTtlMs),
  });
}

async function inBatches<Item, Result>(items: readonly Item[], batch: number, work: (item: Item) => Promise<Result>): Promise<Result[]> {
  const results: Result[] = [];
  for (let from = 0; from < items.length; from += batch) {
    results.push(...(await Promise.all(items.slice(from, from + batch).map(work))));
  }
  return results;
}
