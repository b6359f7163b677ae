import { toJson } from "@bufbuild/protobuf";
import { type Site, SiteSchema } from "@petak/protocol";
import { type DirectoryOptions, sitePageOf } from "./options.ts";

/**
 * The fields of `petak.v1.Site` that the open directory leaves out: single doors, what only the gateway and the operator need, the state of the moment, which is in
 * the availability, and the site's own terms, of which unset fields mean what the gateway alone knows.
 */
export const unpublishedFields = ["compartments", "is_test", "draining", "moved_from", "intake", "terms"] as const;

/** A site as the open directory shows it: `petak.v1.Site` in JSON by the names of the schema, without {@link unpublishedFields}, and its page for people. */
export function publicSite(site: Site, options: Pick<DirectoryOptions, "sitePage">): Record<string, unknown> {
  const shown = toJson(SiteSchema, site, { useProtoFieldName: true }) as Record<string, unknown>;
  for (const name of unpublishedFields) delete shown[name];
  const page = sitePageOf(options, site);
  return page === "" ? shown : { ...shown, page_url: page };
}
