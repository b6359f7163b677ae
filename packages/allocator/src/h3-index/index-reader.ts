import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { DecodedBlock } from "../block/decoded-block.ts";
import type { TrackedCache } from "../cache/tracked-cache.ts";
import type { Footing } from "../cache/tracked-server.ts";
import type { NearestQuery } from "../query/query.ts";
import { createIndexCells, type IndexCell } from "./index-cell.ts";
import { IndexRegion, RegionLists } from "./index-region.ts";
import { createKeyReader } from "./key-reader.ts";
import { createRegionListReader } from "./region-lists.ts";

/** Reads the index. Lists of regions and operator numbers never change once given out, so they are kept. */
export interface IndexReader {
  /** The cell with an H3 index. */
  cell(cell: string): IndexCell;
  /** The region with a name. */
  region(region: Region): IndexRegion;
  /** Regions that have or had a site; where countries are named, a site in one of them. */
  regions(countryCodes?: readonly string[]): Promise<IndexRegion[]>;
  /** Looks whether what is in memory counts, for {@link knownBlock} in the same turn. False where nothing is kept. */
  checkMemory(): boolean;
  /** The block of a cell where it is in memory, null for a cell without sites. Undefined where it has to be read. */
  knownBlock(cell: IndexCell): DecodedBlock | null | undefined;
  /** The bitmap of a region's occupied cells where it is in the cache. Undefined where it has to be read. */
  knownOccupiedCells(region: IndexRegion): Buffer | undefined;
  /** The directory of a region where it is in the cache and says whether the region could have what a query asks for. Undefined where it has to be read. */
  knownDirectory(region: IndexRegion, query: NearestQuery): RegionDirectory | undefined;
  /** The directory of each region, in the same order. */
  directories(regions: readonly IndexRegion[]): Promise<RegionDirectory[]>;
  /** The block of each cell, in the same order. At once where all are in the cache. */
  blocks(cells: readonly IndexCell[]): Blocks | Promise<Blocks>;
  /** Reads what is new in a region's lists: all that a block names which was read before. */
  refreshLists(region: IndexRegion): Promise<void>;
  /** Reads what is new of a region's opening times. */
  refreshOpeningTimes(region: IndexRegion): Promise<void>;
  /** The numbers of those operators that have any site. */
  operatorNumbers(operatorIds: readonly string[]): Promise<ReadonlySet<number>> | ReadonlySet<number>;
}

/** Which cells of a region have sites, and its lists, with size profiles at least as new as that. */
export interface RegionDirectory {
  /** The bitmap of its occupied cells. */
  readonly occupied: Buffer;
  readonly lists: RegionLists;
}

/** Blocks, null for a cell without sites. */
export type Blocks = readonly (DecodedBlock | null)[];

const nobody: ReadonlySet<number> = new Set();
const noCells = Buffer.alloc(0);

/** Reads the index through one connection, and what changes of it through a cache where there is one. */
export function createIndexReader(redis: RedisConnection, keys: Keys, siteIds: SiteIds, cache?: TrackedCache): IndexReader {
  const decode = (bytes: Buffer) => new DecodedBlock(bytes, siteIds);
  const reader = createKeyReader(redis, cache);
  const regions = new Map<Region, IndexRegion>();
  const cell = createIndexCells(regionOf, keys.block);
  const lists = createRegionListReader(redis, keys);
  /** What the server's word rested on when the lists of a region were last read. */
  const footings = new WeakMap<IndexRegion, Footing>();
  const operators = new Map<string, number>();
  // A server that was failed over may have lost the last numbers it gave out, and give them out again for something else.
  redis.on("ready", () => {
    for (const region of regions.values()) forgetLists(region);
    operators.clear();
  });

  function regionOf(name: Region): IndexRegion {
    let region = regions.get(name);
    if (region === undefined) {
      region = new IndexRegion(name);
      regions.set(name, region);
    }
    return region;
  }

  function forgetLists(region: IndexRegion): void {
    region.lists = new RegionLists();
    cache?.forget([keys.profiles(region.region)]);
  }

  /** Forgets a region's lists where its server may have been failed over since they were read. A cluster's connection need not be made anew for that. */
  function checkLists(region: IndexRegion): void {
    const footing = cache?.footingOf(keys.profiles(region.region));
    const before = footings.get(region);
    if (footing === undefined || footing === before) return;
    footings.set(region, footing);
    if (before !== undefined) forgetLists(region);
  }

  async function readDirectory(region: IndexRegion): Promise<RegionDirectory> {
    const [bitmapKey, profilesKey] = [keys.occupiedCells(region.region), keys.profiles(region.region)];
    for (;;) {
      checkLists(region);
      const { lists: before } = region;
      const [bitmap] = await reader.values<Buffer | null | true>([bitmapKey, profilesKey], async (connection, missing) => {
        // The bitmap first: the profiles must be at least as new, see region-lists.ts.
        const reading = missing.includes(bitmapKey) ? connection.getBuffer(bitmapKey) : null;
        const [occupied] = await Promise.all([reading, lists.readProfiles(connection, region)]);
        return missing.map((key) => (key === bitmapKey ? occupied : true));
      });
      if (region.lists === before) return { occupied: (bitmap as Buffer | null) ?? noCells, lists: before };
    }
  }

  function knownOccupiedCells(region: IndexRegion): Buffer | undefined {
    const bitmap = reader.known(keys.occupiedCells(region.region)) as Buffer | null | undefined;
    return bitmap === null ? noCells : bitmap;
  }

  return {
    cell,
    region: regionOf,
    async regions(countryCodes = []) {
      const setKeys = countryCodes.length === 0 ? [keys.regions()] : countryCodes.map((countryCode) => keys.countryRegions(countryCode));
      const found = await Promise.all(setKeys.map((key) => reader.set(key)));
      return [...new Set(found.flat())].map(regionOf);
    },
    checkMemory() {
      cache?.check();
      return cache !== undefined;
    },
    knownBlock: ({ blockKey }) => cache?.peek(blockKey) as DecodedBlock | null | undefined,
    knownOccupiedCells,
    knownDirectory(region, query) {
      const occupied = knownOccupiedCells(region);
      if (occupied === undefined) return undefined;
      // Profiles that were read before are there whatever has been appended since.
      const saysAll = region.lists.mayFit(query) || reader.known(keys.profiles(region.region)) !== undefined;
      return saysAll ? { occupied, lists: region.lists } : undefined;
    },
    directories: (wanted) => Promise.all(wanted.map(readDirectory)),
    blocks: (cells) =>
      reader.strings(
        cells.map(({ blockKey }) => blockKey),
        (index) => cells[index]?.region.region ?? "",
        decode,
      ),
    async refreshLists(region) {
      checkLists(region);
      await lists.readAll(region);
    },
    refreshOpeningTimes: (region) => lists.readOpeningTimes(region),
    operatorNumbers: (operatorIds) => (operatorIds.length === 0 ? nobody : operatorNumbers(operatorIds)),
  };

  async function operatorNumbers(operatorIds: readonly string[]): Promise<ReadonlySet<number>> {
    const unknown = operatorIds.filter((id) => !operators.has(id));
    if (unknown.length > 0) {
      const numbers = await redis.hmget(keys.operatorNumbers(), ...unknown);
      unknown.forEach((id, index) => {
        const number = numbers[index];
        if (number !== null && number !== undefined) operators.set(id, Number(number));
      });
    }
    return new Set(operatorIds.map((id) => operators.get(id)).filter((number) => number !== undefined));
  }
}
