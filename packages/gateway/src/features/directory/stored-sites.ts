import { type SiteStore, type StoredSite, siteNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

type Sites = Pick<SiteStore, "findAll">;

/**
 * The sites of one network, in the order of their ids.
 *
 * @throws {PetakError} SITE_NOT_FOUND if one does not exist in this network.
 */
export async function findVisible(sites: Sites, siteIds: readonly string[], isTest: boolean): Promise<StoredSite[]> {
  const found = await sites.findAll(siteIds);
  return found.map((stored, index) => {
    if (stored === undefined || stored.site.isTest !== isTest) throw siteNotFound(siteIds[index] ?? "");
    return stored;
  });
}

/**
 * The caller's own sites, in the order of their ids.
 *
 * @throws {PetakError} SITE_NOT_FOUND if one does not exist in the caller's network, or belongs to another operator.
 */
export async function findOwn(
  sites: Sites,
  siteIds: readonly string[],
  { participantId, mode }: Pick<ParticipantCaller, "participantId" | "mode">,
): Promise<StoredSite[]> {
  const found = await findVisible(sites, siteIds, mode === "test");
  for (const { site } of found) {
    if (site.operatorId !== participantId) throw siteNotFound(site.siteId);
  }
  return found;
}
