import { create } from "@bufbuild/protobuf";
import { type Site, type SiteSummary, SiteSummarySchema } from "@petak/protocol";

const summaries = new WeakMap<Site, SiteSummary>();

/** What a list of options shows of a site: the same object for the same site, which must not be changed. */
export function summarise(site: Site): SiteSummary {
  let summary = summaries.get(site);
  if (summary === undefined) {
    summary = makeSummary(site);
    summaries.set(site, summary);
  }
  return summary;
}

function makeSummary(site: Site): SiteSummary {
  return create(SiteSummarySchema, {
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
}
