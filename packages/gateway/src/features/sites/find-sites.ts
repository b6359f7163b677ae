import type { Site } from "@petak/protocol";
import { type SiteStore, type StoredSite, siteNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

/** An operator, and the network of the key by which it acts. */
type Operator = Pick<ParticipantCaller, "participantId" | "mode">;

/**
 * Finds sites of one network, in the order of the ids.
 *
 * @throws {PetakError} SITE_NOT_FOUND if one of them does not exist in this network.
 */
export async function findVisibleSites(
  sites: Pick<SiteStore, "findAll">,
  siteIds: readonly string[],
  isTest: boolean,
): Promise<StoredSite[]> {
  const found = await sites.findAll(siteIds);
  return found.map((stored, index) => {
    if (stored === undefined || stored.site.isTest !== isTest) throw siteNotFound(siteIds[index] ?? "");
    return stored;
  });
}

/**
 * Finds sites of an operator in the network of its key, in the order of the ids.
 *
 * @throws {PetakError} SITE_NOT_FOUND if one of them does not exist in that network, or belongs to another operator.
 */
export async function findOwnSites(
  sites: Pick<SiteStore, "findAll">,
  siteIds: readonly string[],
  operator: Operator,
): Promise<StoredSite[]> {
  const found = await sites.findAll(siteIds);
  return found.map((stored, index) => {
    if (stored === undefined || !isOwn(stored.site, operator)) throw siteNotFound(siteIds[index] ?? "");
    return stored;
  });
}

/** {@link findOwnSites} for a single site. */
export async function findOwnSite(sites: Pick<SiteStore, "find">, siteId: string, operator: Operator): Promise<Site> {
  const stored = await sites.find(siteId);
  if (stored === undefined || !isOwn(stored.site, operator)) throw siteNotFound(siteId);
  return stored.site;
}

function isOwn({ operatorId, isTest }: Site, { participantId, mode }: Operator): boolean {
  return operatorId === participantId && isTest === (mode === "test");
}
