import { PetakError, parseSiteId } from "@petak/protocol";

/** The error for a site that does not exist or that the caller may not see. The two cases look the same. */
export function siteNotFound(siteId: string): PetakError {
  const hint = parseSiteId(siteId) === undefined ? "; a site id looks like site_83652b_k3v9c0x2md00004k" : "";
  return new PetakError("SITE_NOT_FOUND", `site ${JSON.stringify(siteId)} does not exist, or the caller may not see it${hint}`, {
    metadata: { site_id: siteId },
  });
}
