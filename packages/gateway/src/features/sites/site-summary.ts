import { create } from "@bufbuild/protobuf";
import { type Site, type SiteSummary, SiteSummarySchema, type Terms } from "@petak/protocol";

const summaries = new WeakMap<Site, SiteSummary>();

/**
 * What a list of options shows of a site on its terms: the same object for the same site while its terms are the same object, which must not be
 * changed.
 */
export function summarise(site: Site, terms: Terms): SiteSummary {
  let summary = summaries.get(site);
  if (summary === undefined || summary.terms !== terms) {
    summary = makeSummary(site, terms);
    summaries.set(site, summary);
  }
  return summary;
}

function makeSummary(site: Site, terms: Terms): SiteSummary {
  const summary = create(SiteSummarySchema, {
    siteId: site.siteId,
    operatorId: site.operatorId,
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
