import { createHash } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import { type Region, type Site, SiteKind, SiteLifecycle } from "@petak/protocol";
import { type FiledSite, type ListedSites, type OperatorNames, type SitePlace, sitePlaceOf } from "@petak/records";
import type { SiteIds } from "@petak/redis";
import type { MappedSite } from "./network-overview.ts";
import type { DirectoryOptions } from "./options.ts";
import { publicSite } from "./public-site.ts";
import { siteFeature } from "./site-feature.ts";

/** Where a site is: its position, country and town. */
export type SiteOnMap = Omit<MappedSite, "free">;

/** What the availability of a published site needs, without the counts. */
export interface PublishedSite {
  readonly site: Pick<Site, "siteId" | "lifecycle" | "operatorId" | "kind"> & {
    readonly sizeClasses: readonly { readonly sizeClassId: string }[];
  };
  readonly isOffered: boolean;
  readonly place: SitePlace;
  readonly at: SiteOnMap;
}

/** The published sites of a region, as the files show them, up to one sequence of their changes. */
export interface PublishedRegion {
  readonly sequence: number;
  /** When the facts of one of its sites changed last, in ms since 1970. Retired ones and those that are not published count too. */
  readonly changedMs: number;
  /** The elements of the file of sites and of the features, separated by commas. Empty without sites. */
  readonly sites: Buffer;
  readonly features: Buffer;
  /** A hash of both. */
  readonly hash: Buffer;
  /** In the order of {@link sites}. */
  readonly published: readonly PublishedSite[];
}

export interface PublishedRegionDependencies {
  listedSites: Pick<ListedSites, "changedAfter">;
  siteIds: SiteIds;
  operatorNames: Pick<OperatorNames, "of">;
  options: DirectoryOptions;
}

/** Sites and bytes that are read at once; calls come between. */
const pageMax = { sites: 50, bytes: 64 * 1024 };

interface Rendered extends PublishedSite {
  readonly asSite: string;
  readonly asFeature: string;
}

/** The most sites that are published. 100,000 take some 250 MB of memory. */
export const publishedSitesMax = 100_000;

/** The network has more sites than are published. */
export class TooManySites extends Error {
  override readonly name = "TooManySites";

  constructor() {
    super(`the network has more than ${publishedSitesMax} sites; ListSites lists them`);
  }
}

/** Reads the sites of a region. @throws {TooManySites} if more than `sitesMax` of them are published */
export async function readPublishedRegion(
  { listedSites, siteIds, operatorNames, options }: PublishedRegionDependencies,
  region: Region,
  sitesMax: number,
): Promise<PublishedRegion> {
  const rendered = new Map<string, Rendered>();
  let [sequence, changedMs] = [0, 0];
  for (;;) {
    const page = await listedSites.changedAfter(region, sequence, pageMax);
    for (const filed of page.sites) {
      const { site } = filed;
      changedMs = Math.max(changedMs, site.updatedAt === undefined ? 0 : timestampMs(site.updatedAt));
      // One that changes meanwhile is read twice.
      rendered.delete(site.siteId);
      if (isPublished(site, options)) rendered.set(site.siteId, render(filed, await operatorNames.of(site.operatorId), siteIds, options));
    }
    if (rendered.size > sitesMax) throw new TooManySites();
    if (page.sequence === sequence) break;
    sequence = page.sequence;
    await setImmediate();
  }
  const inOrder = [...rendered.values()].sort((a, b) => (a.site.siteId < b.site.siteId ? -1 : 1));
  const sites = Buffer.from(inOrder.map(({ asSite }) => asSite).join(",\n"));
  const features = Buffer.from(inOrder.map(({ asFeature }) => asFeature).join(",\n"));
  const hash = createHash("sha256").update(sites).update("\n").update(features).digest();
  return {
    sequence,
    changedMs,
    sites,
    features,
    hash,
    published: inOrder.map(({ site, isOffered, place, at }) => ({ site, isOffered, place, at })),
  };
}

/** Sites of the other network never; those that are retired neither. */
function isPublished({ isTest, lifecycle, operatorId }: Site, { network, leftOut }: DirectoryOptions): boolean {
  return isTest === (network === "test") && lifecycle !== SiteLifecycle.DECOMMISSIONED && !leftOut.has(operatorId);
}

function render(filed: FiledSite, operatorName: string, siteIds: SiteIds, options: DirectoryOptions): Rendered {
  const { site, isOffered } = filed;
  const { siteId, lifecycle, operatorId, kind } = site;
  const shown = publicSite(site, options);
  return {
    // The rest of the message is not kept: it takes several times as much memory.
    site: { siteId, lifecycle, operatorId, kind, sizeClasses: site.sizeClasses.map(({ sizeClassId }) => ({ sizeClassId })) },
    isOffered,
    place: sitePlaceOf(siteIds, filed),
    at: {
      latitude: site.position?.latitude ?? 0,
      longitude: site.position?.longitude ?? 0,
      countryCode: site.address?.countryCode ?? "",
      locality: site.address?.locality ?? "",
    },
    asSite: JSON.stringify(shown),
    asFeature: JSON.stringify(siteFeature(site, shown, operatorName)),
  };
}

/** Whether a site is an automated terminal. */
export function isTerminal({ site }: PublishedSite): boolean {
  return site.kind === SiteKind.PARCEL_TERMINAL;
}
