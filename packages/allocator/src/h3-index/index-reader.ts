import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection } from "@petak/redis";
import { DecodedBlock } from "../block/decoded-block.ts";
import { decodeSizeProfile } from "../block/size-profile.ts";
import type { TrackedCache } from "../cache/tracked-cache.ts";
import { decodeOpeningTimes, type OpeningTimes } from "../hours/opening-times.ts";
import { createIndexCells, type IndexCell } from "./index-cell.ts";
import { IndexRegion, RegionProfile } from "./index-region.ts";
import { createKeyReader } from "./key-reader.ts";
import { createRegionList, type RegionList } from "./region-lists.ts";

/** Reads the index. Profiles and operator numbers never change once given out, so they are kept. */
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
  /** The bitmap of a region's occupied cells where it is in the cache, and its profiles too. Undefined where they have to be read. */
  knownOccupiedCells(region: IndexRegion): Buffer | undefined;
  /** The bitmap of occupied cells of each region, in the same order. Their profiles are up to date after it. */
  occupiedCells(regions: readonly IndexRegion[]): Promise<Buffer[]>;
  /** The block of each cell, in the same order. At once where all are in the cache. */
  blocks(cells: readonly IndexCell[]): Blocks | Promise<Blocks>;
  /** Reads a region's profiles anew. */
  refreshProfiles(region: IndexRegion): Promise<void>;
  /** The regions' lists of opening times. */
  readonly openingTimes: RegionList<OpeningTimes>;
  /** The numbers of those operators that have any site. */
  operatorNumbers(operatorIds: readonly string[]): Promise<ReadonlySet<number>> | ReadonlySet<number>;
}

/** Blocks, null for a cell without sites. */
export type Blocks = readonly (DecodedBlock | null)[];

const nobody: ReadonlySet<number> = new Set();
const noCells = Buffer.alloc(0);

const decode = (bytes: Buffer) => new DecodedBlock(bytes);

/** Reads the index through one connection, and what changes of it through a cache where there is one. */
export function createIndexReader(redis: RedisConnection, keys: Keys, cache?: TrackedCache): IndexReader {
  const reader = createKeyReader(redis, cache);
  const regions = new Map<Region, IndexRegion>();
  const cell = createIndexCells(regionOf, keys.block);
  const decoded = new WeakMap<readonly Buffer[], RegionProfile[]>();
  const operators = new Map<string, number>();
  // A server that was failed over may have lost the last numbers it gave out, and give them out again for something else.
  redis.on("ready", () => {
    for (const region of regions.values()) region.profiles = [];
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

  async function refreshProfiles(region: IndexRegion): Promise<void> {
    setProfiles(region, await reader.list(keys.profiles(region.region)));
  }

  function setProfiles(region: IndexRegion, list: readonly Buffer[]): void {
    let profiles = decoded.get(list);
    if (profiles === undefined) {
      profiles = list.map((bytes) => new RegionProfile(decodeSizeProfile(bytes)));
      decoded.set(list, profiles);
    }
    region.profiles = profiles;
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
    knownOccupiedCells(region) {
      const bitmap = reader.knownString(keys.occupiedCells(region.region));
      const list = bitmap === undefined ? undefined : reader.knownList(keys.profiles(region.region));
      if (bitmap === undefined || list === undefined) return undefined;
      setProfiles(region, list);
      return bitmap ?? noCells;
    },
    async occupiedCells(wanted) {
      const [bitmaps] = await Promise.all([
        Promise.all(wanted.map(({ region }) => reader.string(keys.occupiedCells(region)))),
        Promise.all(wanted.map((region) => refreshProfiles(region))),
      ]);
      return bitmaps.map((bitmap) => bitmap ?? noCells);
    },
    blocks: (cells) =>
      reader.strings(
        cells.map(({ blockKey }) => blockKey),
        (index) => cells[index]?.region.region ?? "",
        decode,
      ),
    refreshProfiles,
    openingTimes: createRegionList(redis, keys.openingTimes, decodeOpeningTimes),
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
