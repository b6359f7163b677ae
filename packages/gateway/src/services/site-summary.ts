import { create } from "@bufbuild/protobuf";
import { type Site, type SiteSummary, SiteSummarySchema } from "@petak/protocol";

/** What a list of options shows of a site. */
export function summarise(site: Site): SiteSummary {
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
