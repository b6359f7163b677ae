import type { Site } from "@petak/protocol";
import { type SiteStore, siteNotFound } from "@petak/records";
import type { ParticipantCaller } from "../../identity/index.ts";

/** A site of which the caller is the operator, in the network of its key. Throws SITE_NOT_FOUND for any other. */
export async function findOwnSite(sites: Pick<SiteStore, "find">, siteId: string, caller: ParticipantCaller): Promise<Site> {
  const site = (await sites.find(siteId))?.site;
  const isOwn = site?.operatorId === caller.participantId && site.isTest === (caller.mode === "test");
  if (site === undefined || !isOwn) throw siteNotFound(siteId);
  return site;
}
