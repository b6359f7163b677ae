import type { Candidate } from "@petak/allocator";
import type { Site, SiteOption, SiteSummary, Terms } from "@petak/protocol";
import { toCentimetre } from "@petak/protocol/geo";
import { bestSizeClass, type FoundSites } from "@petak/records";
import { summarise } from "../sites/site-summary.ts";
import { freshnessOf } from "./availability.ts";

/**
 * The options for found sites, in their order, without sites that no longer exist.
 *
 * @param terms terms of each site, in the same order
 * @param names names of the operators of each site, in the same order
 */
export function siteOptions(
  { candidates, sites }: FoundSites,
  terms: readonly (Terms | undefined)[],
  names: readonly string[],
  nowMs: number,
): SiteOption[] {
  const options: SiteOption[] = [];
  for (let index = 0; index < candidates.length; index++) {
    const [site, siteTerms] = [sites[index], terms[index]];
    if (site !== undefined && siteTerms !== undefined)
      options.push(optionOf(candidates[index] as Candidate, summarise(site, siteTerms, names[index] ?? ""), site, nowMs));
  }
  return options;
}

function optionOf(candidate: Candidate, summary: SiteSummary, site: Site, nowMs: number): SiteOption {
  const { distanceM, observation } = candidate;
  const { sizeClassId, free } = bestSizeClass(candidate, site);
  const { observedAt, ttl } = freshnessOf(observation, nowMs);
  // A literal, because `create` would check every field again.
  return {
    $typeName: "petak.v1.SiteOption",
    site: summary,
    distanceM: toCentimetre(distanceM),
    sizeClassId,
    freeToPromise: free,
    observedAt,
    ttl,
  };
}
