import { setImmediate } from "node:timers/promises";
import { toJson } from "@bufbuild/protobuf";
import { AvailabilityState, type Operator, OperatorSchema, type Region, SiteAvailabilitySchema } from "@petak/protocol";
import type { CountsByCell, ListedSites, OperatorLinksStore, SiteCounts } from "@petak/records";
import { availabilityOf } from "../directory/availability.ts";
import { type MappedSite, type NetworkOverview, overviewOf } from "./network-overview.ts";
import { makePublishedFile, type PublishedFile } from "./published-file.ts";
import {
  isTerminal,
  type PublishedRegion,
  type PublishedRegionDependencies,
  type PublishedSite,
  publishedSitesMax,
  readPublishedRegion,
} from "./published-region.ts";

/** The version of the files' format. */
export const formatVersion = "1.0";

/** How often the files may change, in s: their `ttl`. */
export const filesTtlS = 30;

/** The network in numbers. */
export interface DirectoryTotals {
  readonly terminals: number;
  readonly collectionPoints: number;
  readonly operators: number;
  /** Sites whose counts are known and that take deposits, and the places free there. */
  readonly sitesKnown: number;
  readonly placesFree: number;
}

/** All files as of one time. */
export interface PublishedFiles {
  readonly builtMs: number;
  readonly sites: PublishedFile;
  readonly geojson: PublishedFile;
  readonly availability: PublishedFile;
  readonly totals: DirectoryTotals;
  /** For a map of the network. Undefined without sites. */
  readonly overview: NetworkOverview | undefined;
}

export interface BuilderDependencies extends PublishedRegionDependencies {
  listedSites: ListedSites;
  countsByCell: CountsByCell;
  operatorLinks: Pick<OperatorLinksStore, "find">;
  now: () => number;
}

/** Attempts to read facts and counts of a region that belong together. */
const attemptsMax = 3;

/** Sites whose availability is written before calls come between. */
const sitesTogether = 50;

/** Creates the function that makes all files. It reads only regions that have changed, and all counts. Only one call may run at a time. */
export function createBuilder(dependencies: BuilderDependencies): () => Promise<PublishedFiles> {
  const { listedSites, now } = dependencies;
  const regions = new Map<Region, PublishedRegion>();
  let last: Pick<PublishedFiles, "sites" | "geojson"> | undefined;
  let lastKey = "";

  /** The region as it is now, read again only if it has changed. */
  async function refresh(region: Region, sequence: number): Promise<PublishedRegion> {
    const known = regions.get(region);
    if (known?.sequence === sequence) return known;
    let others = 0;
    for (const [other, { published }] of regions) others += other === region ? 0 : published.length;
    const read = await readPublishedRegion(dependencies, region, publishedSitesMax - others);
    regions.set(region, read);
    return read;
  }

  /** The counts of a region with the facts that they belong to. */
  async function readCounts(region: Region): Promise<(SiteCounts | undefined)[]> {
    for (let attempt = 1; attempt <= attemptsMax; attempt++) {
      const { sequence, published } = await refresh(region, await lastOf(listedSites, region));
      const counts = await dependencies.countsByCell.read(
        region,
        published.map(({ place }) => place),
      );
      if (sequence === (await lastOf(listedSites, region))) return counts;
    }
    // It changes all the time. Nothing is claimed about what is free.
    return [];
  }

  return async () => {
    const builtMs = now();
    const present = await listedSites.regions([]);
    for (const region of regions.keys()) if (!present.includes(region)) regions.delete(region);
    const counter = createCounter();
    const availabilities: Buffer[] = [];
    for (const region of present) {
      const counts = await readCounts(region);
      const published = regions.get(region)?.published ?? [];
      if (published.length > 0) availabilities.push(await writeAvailability(published, counts, builtMs, counter));
    }
    const inOrder = present.map((region) => regions.get(region)).filter((one): one is PublishedRegion => one !== undefined);
    const changedMs = Math.max(0, ...inOrder.map((one) => one.changedMs));
    const operators = await readOperators(dependencies, counter.operatorIds);
    const sitesHead = `${head(changedMs)},"data":{"operators":${JSON.stringify(operators)},"sites":[\n`;
    const hashes = inOrder.map(({ hash }) => hash);
    const key = [sitesHead, ...hashes.map((hash) => hash.toString("hex"))].join("\n");
    if (last === undefined || lastKey !== key) {
      const withSites = inOrder.filter(({ published }) => published.length > 0);
      const files = {
        sites: await makePublishedFile(
          joined(
            sitesHead,
            withSites.map(({ sites }) => sites),
            "\n]}}\n",
          ),
          [sitesHead, ...hashes],
        ),
        geojson: await makePublishedFile(
          joined(
            '{"type":"FeatureCollection","features":[\n',
            withSites.map(({ features }) => features),
            "\n]}\n",
          ),
          ["geojson", ...hashes],
        ),
      };
      [last, lastKey] = [files, key];
    }
    const availability = await makePublishedFile(
      joined(`${head(builtMs)},"data":{"availabilities":[\n`, availabilities, "\n]}}\n"),
      undefined,
      1,
    );
    return { ...last, builtMs, availability, totals: counter.totals(), overview: await overviewOf(counter.mapped) };
  };
}

/** The beginning of each file, without the data. */
export function head(updatedMs: number): string {
  return `{"last_updated":"${new Date(updatedMs).toISOString()}","ttl":${filesTtlS},"version":"${formatVersion}"`;
}

async function lastOf(listedSites: ListedSites, region: Region): Promise<number> {
  const [sequence = 0] = await listedSites.lasts([region]);
  return sequence;
}

function joined(begin: string, parts: readonly Uint8Array[], end: string): Uint8Array[] {
  const comma = Buffer.from(",\n");
  return [Buffer.from(begin), ...parts.flatMap((part, index) => (index === 0 ? [part] : [comma, part])), Buffer.from(end)];
}

type Counter = ReturnType<typeof createCounter>;

function createCounter() {
  const operatorIds = new Set<string>();
  const mapped: MappedSite[] = [];
  const sums = { terminals: 0, collectionPoints: 0, sitesKnown: 0, placesFree: 0 };
  return {
    operatorIds,
    mapped,
    count(published: PublishedSite, free: number | undefined): void {
      operatorIds.add(published.site.operatorId);
      mapped.push({ ...published.at, free });
      sums[isTerminal(published) ? "terminals" : "collectionPoints"] += 1;
      if (free === undefined) return;
      sums.sitesKnown += 1;
      sums.placesFree += free;
    },
    totals: (): DirectoryTotals => ({ ...sums, operators: operatorIds.size }),
  };
}

const neverObserved = { state: AvailabilityState.UNKNOWN, observedAt: undefined, ttl: undefined };

/** The elements of the file of what is free. What is not known has no counts, so that no reader takes an old number for a free place. */
async function writeAvailability(
  published: readonly PublishedSite[],
  counts: readonly (SiteCounts | undefined)[],
  nowMs: number,
  counter: Counter,
): Promise<Buffer> {
  const lines: string[] = [];
  for (const [index, one] of published.entries()) {
    const found = counts[index];
    const availability = availabilityOf({ ...one, ...(found ?? { counts: [], observation: undefined }) }, nowMs);
    // The same for all: it is at the head of the file.
    availability.publishedAt = undefined;
    if (found === undefined) Object.assign(availability, neverObserved);
    const isKnown = availability.state === AvailabilityState.KNOWN;
    if (!isKnown) availability.sizeClasses = [];
    lines.push(JSON.stringify(toJson(SiteAvailabilitySchema, availability, { useProtoFieldName: true })));
    const isCounted = isKnown && availability.acceptingDeposits;
    counter.count(one, isCounted ? availability.sizeClasses.reduce((sum, { freeToPromise }) => sum + freeToPromise, 0) : undefined);
    if (index % sitesTogether === sitesTogether - 1) await setImmediate();
  }
  return Buffer.from(lines.join(",\n"));
}

async function readOperators(
  { operatorNames, operatorLinks, options }: Pick<BuilderDependencies, "operatorNames" | "operatorLinks" | "options">,
  operatorIds: ReadonlySet<string>,
): Promise<unknown[]> {
  return await Promise.all(
    [...operatorIds].sort().map(async (operatorId) => {
      const [displayName, links] = await Promise.all([operatorNames.of(operatorId), operatorLinks.find(operatorId, options.network)]);
      const operator: Operator = { $typeName: "petak.v1.Operator", operatorId, displayName, ...(links && { links }) };
      return toJson(OperatorSchema, operator, { useProtoFieldName: true });
    }),
  );
}
