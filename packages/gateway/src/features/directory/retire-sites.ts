import { create } from "@bufbuild/protobuf";
import { type RetireSitesRequest, RetireSitesRequestSchema, type RetireSitesResponse, RetireSitesResponseSchema } from "@petak/protocol";
import type { RequestIds, SiteStore } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";
import { once } from "../idempotency/once.ts";
import { findOwnSites } from "../sites/find-sites.ts";
import { inBatches, parallelWrites } from "./in-batches.ts";

export interface RetireSitesDependencies {
  sites: Pick<SiteStore, "findAll" | "retire">;
  requestIds: RequestIds;
  now: () => number;
}

const schemas = { request: RetireSitesRequestSchema, response: RetireSitesResponseSchema, bodyNamesNetwork: true };

/** Retires the caller's sites. Throws SITE_NOT_FOUND, before any is retired, if one of them is not the caller's. */
export async function retireSites(
  { sites, requestIds, now }: RetireSitesDependencies,
  request: RetireSitesRequest,
  caller: ParticipantCaller,
): Promise<RetireSitesResponse> {
  return await once(requestIds, caller, schemas, request, async () => {
    const found = await findOwnSites(sites, request.siteIds, caller);
    await inBatches(found, parallelWrites, ({ site }) => sites.retire(site.siteId, now()));
    return create(RetireSitesResponseSchema);
  });
}
