import { create } from "@bufbuild/protobuf";
import type { NearestQuery, PassedOverSites, SiteSearch } from "@petak/allocator";
import {
  type FindNearestRequest,
  type FindNearestResponse,
  FindNearestResponseSchema,
  type PassedOver,
  PassedOverSchema,
} from "@petak/protocol";
import { type FoundSites, findSites, type SearchCall, type SiteCache, type TermsBook } from "@petak/records";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import { findNearestQuery } from "../sites/nearest-query.ts";
import { siteOptions } from "./site-options.ts";

export interface FindNearestDependencies {
  search: SiteSearch;
  siteFacts: Pick<SiteCache, "facts">;
  termsBook: Pick<TermsBook, "at">;
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
  if (request.countPassedOver) return explained(dependencies, query, found, call, nowMs);
  return found instanceof Promise ? found.then((sites) => offer(dependencies, sites, nowMs)) : offer(dependencies, found, nowMs);
}

async function explained(
  dependencies: FindNearestDependencies,
  query: NearestQuery,
  searching: FoundSites | Promise<FoundSites>,
  call: SearchCall,
  nowMs: number,
): Promise<FindNearestResponse> {
  const found = await searching;
  const passedOver = await dependencies.search.passedOver(query, found.candidates, call.signal);
  const response = await offer(dependencies, found, nowMs);
  response.passedOver = toPassedOver(passedOver);
  return response;
}

function offer(
  { termsBook }: FindNearestDependencies,
  found: FoundSites,
  nowMs: number,
): FindNearestResponse | Promise<FindNearestResponse> {
  const terms = termsBook.at(found.sites);
  if (terms instanceof Promise) return terms.then((known) => responseOf(siteOptions(found, known, nowMs)));
  return responseOf(siteOptions(found, terms, nowMs));
}

function responseOf(options: FindNearestResponse["options"]): FindNearestResponse {
  const response = create(FindNearestResponseSchema);
  response.options = options;
  return response;
}

function toPassedOver({ withinM, counts }: PassedOverSites): PassedOver {
  return create(PassedOverSchema, { withinM, counts: [...counts].map(([reason, sites]) => ({ reason, sites })) });
}
