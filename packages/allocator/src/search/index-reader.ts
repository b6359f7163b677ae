import type { Region } from "@petak/protocol";
import { type DecodedBlock, decodeBlock } from "../block/decoded-block.ts";
import { decodeSizeProfile, fittingClasses, type ParcelMeasures, type PlaceNeeds, type SizeClassFacts } from "../block/size-profile.ts";
import type { RedisConnection } from "../connection/connect-redis.ts";
import { decodeOpeningTimes, type OpeningTimes } from "../hours/opening-times.ts";
import type { Keys } from "../keys.ts";
import { createKeyReader } from "./key-reader.ts";
import type { CellInRegion } from "./neighbourhood.ts";
import { createRegionList, type RegionList } from "./region-lists.ts";
import type { TrackedCache } from "./tracked-cache.ts";

/** Reads the index. Profiles and operator numbers never change once given out, so they are kept. */
export interface IndexReader {
  /** Regions that have or had a site; where countries are named, a site in one of them. */
  regions(countryCodes?: readonly string[]): Promise<Region[]>;
  /** The bitmap of a region's occupied cells where it is in the cache, and its profiles too. Undefined where they have to be read. */
  knownOccupiedCells(region: Region): Buffer | undefined;
  /** The bitmap of occupied cells of each region, in the same order. Their profiles are up to date after it. */
  occupiedCells(regions: Region[]): Promise<(Buffer | undefined)[]>;
  /** Whether a region has a size profile for which a predicate holds. */
  someProfile(region: Region, holds: (profileNumber: number) => boolean): boolean;
  /** The block of each cell, in the same order. At once where all are in the cache. */
  blocks(cells: readonly CellInRegion[]): Blocks | Promise<Blocks>;
  /** Reads a region's profiles anew. */
  refreshProfiles(region: Region): Promise<void>;
  /** The size classes of a profile; undefined where it is not known yet. */
  profile(region: Region, profileNumber: number): readonly SizeClassFacts[] | undefined;
  /** The regions' lists of opening times. */
  readonly openingTimes: RegionList<OpeningTimes>;
  /** The classes of a profile that would do, remembered for the query; undefined for a profile that is not known yet. */
  fittingLookup(parcel: ParcelMeasures, needs?: PlaceNeeds): (region: Region, profileNumber: number) => readonly number[] | undefined;
  /** The numbers of those operators that have any site. */
  operatorNumbers(operatorIds: readonly string[]): Promise<ReadonlySet<number>> | ReadonlySet<number>;
}

/** Blocks, null for a cell without sites. */
export type Blocks = readonly (DecodedBlock | null)[];

const nobody: ReadonlySet<number> = new Set();
const noCells = Buffer.alloc(0);

/** Regions whose cells are read beforehand, at most, and how many of them at once. South-East Asia has some 600: 1.3 MB. */
const directoryMax = 5000;
const directoryBatch = 64;

/** Names of blocks' keys that are kept before they are made anew: about 20 MB. */
const blockKeysMax = 100_000;

/** Reads the index through one connection, and what changes of it through a cache where there is one. */
export function createIndexReader(redis: RedisConnection, keys: Keys, cache?: TrackedCache): IndexReader {
  const reader = createKeyReader(redis, cache);
  const blockKeys = new Map<string, string>();
  const decoded = new WeakMap<readonly Buffer[], SizeClassFacts[][]>();
  const profiles = new Map<Region, SizeClassFacts[][]>();
  const operators = new Map<string, number>();
  // A server that was failed over may have lost the last numbers it gave out, and give them out again for something else.
  redis.on("ready", () => {
    profiles.clear();
    operators.clear();
  });

  async function refreshProfiles(region: Region): Promise<void> {
    setProfiles(region, await reader.list(keys.profiles(region)));
  }

  function setProfiles(region: Region, list: readonly Buffer[]): void {
    let facts = decoded.get(list);
    if (facts === undefined) {
      facts = list.map(decodeSizeProfile);
      decoded.set(list, facts);
    }
    profiles.set(region, facts);
  }

  /** Reads where sites are before anybody asks: a search that goes far needs it, and its own round trips should go into what it finds. */
  async function readDirectory(): Promise<void> {
    const regions = await self.regions();
    for (let from = 0; from < Math.min(regions.length, directoryMax); from += directoryBatch) {
      await self.occupiedCells(regions.slice(from, from + directoryBatch));
    }
  }

  function blockKeyOf({ region, cell }: CellInRegion): string {
    let key = blockKeys.get(cell);
    if (key === undefined) {
      if (blockKeys.size >= blockKeysMax) blockKeys.clear();
      key = keys.block(region, cell);
      blockKeys.set(cell, key);
    }
    return key;
  }

  const self: IndexReader = {
    async regions(countryCodes = []) {
      if (countryCodes.length === 0) return (await reader.set(keys.regions())) as Region[];
      const found = await Promise.all(countryCodes.map((countryCode) => reader.set(keys.countryRegions(countryCode))));
      return [...new Set(found.flat())] as Region[];
    },
    knownOccupiedCells(region) {
      const bitmap = reader.knownString(keys.occupiedCells(region));
      const list = bitmap === undefined ? undefined : reader.knownList(keys.profiles(region));
      if (bitmap === undefined || list === undefined) return undefined;
      setProfiles(region, list);
      return bitmap ?? noCells;
    },
    async occupiedCells(regions) {
      const [bitmaps] = await Promise.all([
        Promise.all(regions.map((region) => reader.string(keys.occupiedCells(region)))),
        Promise.all(regions.map((region) => refreshProfiles(region))),
      ]);
      return bitmaps.map((bitmap) => bitmap ?? undefined);
    },
    someProfile: (region, holds) => (profiles.get(region) ?? []).some((_profile, profileNumber) => holds(profileNumber)),
    blocks: (cells) => reader.strings(cells.map(blockKeyOf), (index) => cells[index]?.region ?? "", decodeBlock),
    refreshProfiles,
    profile: (region, profileNumber) => profiles.get(region)?.[profileNumber],
    openingTimes: createRegionList(redis, keys.openingTimes, decodeOpeningTimes),
    fittingLookup(parcel, needs) {
      const remembered = new Map<SizeClassFacts[], number[]>();
      return (region, profileNumber) => {
        const profile = profiles.get(region)?.[profileNumber];
        if (profile === undefined) return undefined;
        let fitting = remembered.get(profile);
        if (fitting === undefined) {
          fitting = fittingClasses(parcel, profile, needs);
          remembered.set(profile, fitting);
        }
        return fitting;
      };
    },
    operatorNumbers: (operatorIds) => (operatorIds.length === 0 ? nobody : operatorNumbers(operatorIds)),
  };
  cache?.whenBegun(() => {
    // What fails now is read by the first search that needs it.
    readDirectory().catch(() => {});
  });
  return self;

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
