import { create } from "@bufbuild/protobuf";
import { type RetireSitesRequest, RetireSitesRequestSchema, type RetireSitesResponse, RetireSitesResponseSchema } from "@petak/protocol";
import type { RequestIds, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { findOwnSites } from "../sites/find-sites.ts";
import { inBatches, parallelWrites } from "./in-batches.ts";
import { livePolicy } from "./live-policy.ts";

export interface RetireSitesDependencies {
  sites: Pick<SiteStore, "findAll" | "checkRetirement" | "retire">;
  requestIds: RequestIds;
  now: () => number;
}

const schemas = { request: RetireSitesRequestSchema, response: RetireSitesResponseSchema, bodyNamesNetwork: true };

/**
 * Retires the caller's sites. Before any is retired, throws SITE_NOT_FOUND if one of them is not the caller's, and SITE_IN_USE if one has live reservations
 * and the request does not say what happens to them.
 *
 * @param onChange called before the first write
 * @param onUnchanged called if all of them are retired already
 */
export async function retireSites(
  { sites, requestIds, now }: RetireSitesDependencies,
  request: RetireSitesRequest,
  caller: ParticipantCaller,
  onChange: () => void,
  onUnchanged: () => void,
): Promise<RetireSitesResponse> {
  return await once(requestIds, caller, schemas, request, async () => {
    const found = await findOwnSites(sites, request.siteIds, caller);
    const live = livePolicy(request);
    await inBatches(found, parallelWrites, (stored) => sites.checkRetirement(stored, live));
    onChange();
    const retired = await inBatches(found, parallelWrites, ({ site }) => sites.retire(site.siteId, now(), live));
    if (!retired.includes(true)) onUnchanged();
    return create(RetireSitesResponseSchema);
  });
}
