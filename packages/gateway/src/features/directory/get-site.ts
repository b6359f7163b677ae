import { create } from "@bufbuild/protobuf";
import { type GetSiteRequest, type GetSiteResponse, GetSiteResponseSchema } from "@petak/protocol";
import type { SiteStore, TermsBook } from "@petak/records";
import type { ParticipantCaller, PublishableCaller } from "../../identity/index.ts";
import { findVisibleSites } from "../sites/find-sites.ts";

export interface GetSiteDependencies {
  sites: Pick<SiteStore, "findAll">;
  termsBook: Pick<TermsBook, "atSite">;
}

/** Returns a site with the terms that apply there now. Throws SITE_NOT_FOUND if it is not in the caller's network. */
export async function getSite(
  { sites, termsBook }: GetSiteDependencies,
  { siteId }: GetSiteRequest,
  { mode }: ParticipantCaller | PublishableCaller,
): Promise<GetSiteResponse> {
  const [stored] = await findVisibleSites(sites, [siteId], mode === "test");
  if (stored === undefined) return create(GetSiteResponseSchema);
  return create(GetSiteResponseSchema, { site: stored.site, terms: await termsBook.atSite(stored.site) });
}
