import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { NearestQuery, PassedOverSites, SiteSearch } from "@petak/allocator";
import {
  type FindNearestRequest,
  type FindNearestResponse,
  FindNearestResponseSchema,
  type PassedOver,
  PassedOverSchema,
  PassedOverSiteSchema,
} from "@petak/protocol";
import { toCentimetre } from "@petak/protocol/geo";
import { type FoundSites, findSites, type OperatorNames, type SearchCall, type SiteCache, type TermsBook } from "@petak/records";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import { findNearestQuery } from "../sites/nearest-query.ts";
import { summarise } from "../sites/site-summary.ts";
import { freshnessOf } from "./availability.ts";
import { siteOptions } from "./site-options.ts";

export interface FindNearestDependencies {
  search: SiteSearch;
  siteFacts: Pick<SiteCache, "facts">;
  termsBook: Pick<TermsBook, "at">;
  operatorNames: Pick<OperatorNames, "at">;
  now: () => number;
}

/**
 * Finds the nearest sites with a free place that the parcel fits. Returns synchronously if everything is cached, which is usual: a turn of the event
 * loop would take longer than the search.
 */
export function findNearest(
  dependencies: FindNearestDependencies,
  request: FindNearestRequest,
  { mode }: ParticipantCaller | PublishableCaller,
  call: SearchCall,
): FindNearestResponse | Promise<FindNearestResponse> {
  const nowMs = dependencies.now();
  const query = findNearestQuery(request, mode === "test", nowMs);
  const found = findSites(dependencies, query, call);
  if (request.countPassedOver || request.passedOverLimit > 0)
    return explained(dependencies, query, found, request.passedOverLimit, call, nowMs);
  return found instanceof Promise ? found.then((sites) => offer(dependencies, sites, nowMs)) : offer(dependencies, found, nowMs);
}

async function explained(
  dependencies: FindNearestDependencies,
  query: NearestQuery,
  searching: FoundSites | Promise<FoundSites>,
  limit: number,
  call: SearchCall,
  nowMs: number,
): Promise<FindNearestResponse> {
  const found = await searching;
  const response = await offer(dependencies, found, nowMs);
  const countedAtMs = dependencies.now();
  const passedOver = await dependencies.search.passedOver(query, found.candidates, { limit, signal: call.signal });
  response.passedOver = await toPassedOver(dependencies, passedOver, countedAtMs);
  return response;
}

function offer(
  { termsBook, operatorNames }: FindNearestDependencies,
  found: FoundSites,
  nowMs: number,
): FindNearestResponse | Promise<FindNearestResponse> {
  const terms = termsBook.at(found.sites);
  const names = operatorNames.at(found.sites);
  if (!(terms instanceof Promise || names instanceof Promise)) return responseOf(siteOptions(found, terms, names, nowMs));
  return Promise.all([terms, names]).then(([known, named]) => responseOf(siteOptions(found, known, named, nowMs)));
}

function responseOf(options: FindNearestResponse["options"]): FindNearestResponse {
  const response = create(FindNearestResponseSchema);
  response.options = options;
  return response;
}

async function toPassedOver(
  { siteFacts, termsBook, operatorNames }: FindNearestDependencies,
  { withinM, counts, nearest }: PassedOverSites,
  nowMs: number,
): Promise<PassedOver> {
  const passedOver = create(PassedOverSchema, {
    withinM: toCentimetre(withinM),
    counts: [...counts].map(([reason, sites]) => ({ reason, sites })),
    countedAt: timestampFromMs(nowMs),
  });
  if (nearest.length === 0) return passedOver;
  const facts = await siteFacts.facts(nearest);
  const [terms, names] = await Promise.all([termsBook.at(facts), operatorNames.at(facts)]);
  passedOver.sites = nearest.flatMap(({ distanceM, reason, observation }, index) => {
    const [site, siteTerms] = [facts[index], terms[index]];
    if (site === undefined || siteTerms === undefined) return [];
    const named = create(PassedOverSiteSchema, { distanceM: toCentimetre(distanceM), reason, ...freshnessOf(observation, nowMs) });
    named.site = summarise(site, siteTerms, names[index] ?? "");
    return named;
  });
  return passedOver;
}
