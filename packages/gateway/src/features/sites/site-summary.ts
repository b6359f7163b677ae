import { create } from "@bufbuild/protobuf";
import { type Site, type SiteSummary, SiteSummarySchema, type Terms } from "@petak/protocol";

const summaries = new WeakMap<Site, SiteSummary>();

/**
 * The summary of a site, its terms and its operator's name for a list of options. Returns the same object while site and terms are the same objects and the name is
 * the same. It must not be modified.
 */
export function summarise(site: Site, terms: Terms, operatorName: string): SiteSummary {
  let summary = summaries.get(site);
  if (summary === undefined || summary.terms !== terms || summary.operatorName !== operatorName) {
    summary = makeSummary(site, terms, operatorName);
    summaries.set(site, summary);
  }
  return summary;
}

function makeSummary(site: Site, terms: Terms, operatorName: string): SiteSummary {
  const summary = create(SiteSummarySchema, {
    siteId: site.siteId,
    operatorId: site.operatorId,
    operatorName,
    kind: site.kind,
    name: site.name,
    position: site.position,
    address: site.address,
    alwaysOpen: site.openingHours?.alwaysOpen ?? false,
    stepFree: site.access?.stepFree ?? false,
    revision: site.revision,
  });
  summary.terms = terms;
  return summary;
}
