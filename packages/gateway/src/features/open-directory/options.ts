/** How the open directory is published. */
export interface DirectoryOptions {
  /** The licence of the data: an SPDX identifier, e.g. `CC-BY-4.0`, or the `https` URL of its text. Empty: nothing is published. */
  licence: string;
  /** Whom users of the data have to name. May be empty. */
  publisher: string;
  /** A site's page for people: an `https` URL with `{site_id}` or `{operator_site_ref}` in it. Empty: sites have none. */
  sitePage: string;
  /** Which network is published: sites in operation, or those of the test network, which anybody can make up. Never both. */
  network: "live" | "test";
  /** Operators whose sites are left out, by id. */
  leftOut: Pick<ReadonlySet<string>, "has">;
}

/** A site's page for people. Empty: it has none. */
export function sitePageOf({ sitePage }: Pick<DirectoryOptions, "sitePage">, site: { siteId: string; operatorSiteRef: string }): string {
  return sitePage
    .replaceAll("{site_id}", encodeURIComponent(site.siteId))
    .replaceAll("{operator_site_ref}", () => encodeURIComponent(site.operatorSiteRef));
}
