import type { PetakClient } from "@petak/client/node";
import { SiteLifecycle } from "@petak/protocol";

/** Sites of an import that exist and are not in service. */
export interface OutOfService {
  /** Number of paused and planned sites. They stay so: an import states no phase. */
  paused: number;
  /** Retired sites, by `operator_site_ref`. An import brings them back: a run that was cut short retires what it made. */
  readonly retired: Set<string>;
}

/** Adds those of at most 100 existing sites that are not in service. */
export async function addOutOfService(
  directory: Pick<PetakClient["directory"], "getAvailability" | "getSite">,
  siteIds: string[],
  found: OutOfService,
): Promise<void> {
  const { availabilities } = await directory.getAvailability({ siteIds });
  for (const { siteId, acceptingDeposits } of availabilities) {
    if (acceptingDeposits) continue;
    const { site } = await directory.getSite({ siteId });
    if (site === undefined) continue;
    if (site.lifecycle === SiteLifecycle.DECOMMISSIONED) found.retired.add(site.operatorSiteRef);
    else if (site.lifecycle !== SiteLifecycle.ACTIVE) found.paused += 1;
  }
}
