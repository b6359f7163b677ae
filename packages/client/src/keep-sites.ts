import type { CallOptions, Client } from "@connectrpc/connect";
import { type DirectoryService, type ListSitesRequest, reasonOf, type Site } from "@petak/protocol";

/** A copy of the directory. Store both parts together. */
export interface SiteCopy {
  /** The sites by their ids. */
  readonly sites: Map<string, Site>;
  /** Up to where the directory was read. Empty: nothing was read. */
  cursor: string;
}

/** Which sites a copy has. Always the same for one copy. */
export type SiteFilters = Partial<Pick<ListSitesRequest, "countryCodes" | "operatorIds">>;

/** Sites per call: the protocol's limit. */
const pageSize = 500;

/**
 * Reads the directory, and with a copy only what has changed since. Changes the copy page by page, so that one which is cut off can go on. Returns it once it has
 * every change that was recorded before the last call.
 *
 * Starts anew with another copy if the cursor has expired, or is not of this network, store and filters.
 */
export async function keepSites(
  directory: Pick<Client<typeof DirectoryService>, "listSites">,
  copy: SiteCopy = { sites: new Map(), cursor: "" },
  filters: SiteFilters = {},
  options: CallOptions = {},
): Promise<SiteCopy> {
  if (copy.cursor === "") copy.sites.clear();
  try {
    for (;;) {
      const page = await directory.listSites({ ...filters, cursor: copy.cursor, pageSize }, options);
      for (const site of page.sites) copy.sites.set(site.siteId, site);
      for (const { siteId } of page.tombstones) copy.sites.delete(siteId);
      copy.cursor = page.nextCursor;
      if (!page.hasMore) return copy;
    }
  } catch (error) {
    if (copy.cursor === "" || reasonOf(error) !== "CURSOR_INVALID") throw error;
    return await keepSites(directory, undefined, filters, options);
  }
}
