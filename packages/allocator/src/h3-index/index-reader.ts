import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { DecodedBlock } from "../block/decoded-block.ts";
import type { TrackedCache } from "../cache/tracked-cache.ts";
import type { SlotTracking } from "../cache/tracked-server.ts";
import type { NearestQuery } from "../query/query.ts";
import { createIndexCells, type IndexCell } from "./index-cell.ts";
import { IndexRegion, RegionLists } from "./index-region.ts";
import { createKeyReader } from "./key-reader.ts";
import { createRegionListReader } from "./region-lists.ts";

/** Reads the index. What region lists and operator numbers mean is kept, see region-lists.ts. */
export interface IndexReader {
  /** The monotonic clock, in ms. */
  nowMs(): number;
  /** The index cell with an H3 index. */
  cell(cell: string): IndexCell;
  /** The region with a name. */
  region(region: Region): IndexRegion;
  /** Regions that have or had a site; with country codes, a site in one of those countries. */
  regions(countryCodes?: readonly string[]): Promise<IndexRegion[]>;
  /** Updates which cached values are valid for {@link knownBlock} in the same turn. False without a cache. */
  checkMemory(): boolean;
  /** The cached block of a cell: null for a cell without sites, undefined if it has to be read. */
  knownBlock(cell: IndexCell): DecodedBlock | null | undefined;
  /** The cached bitmap of a region's occupied cells; undefined if it has to be read. */
  knownOccupiedCells(region: IndexRegion): Buffer | undefined;
  /** The cached directory of a region, if it suffices to decide whether the region can satisfy a query; undefined if it has to be read. */
  knownDirectory(region: IndexRegion, query: NearestQuery): RegionDirectory | undefined;
  /** The directory of each region, in the same order. */
  directories(regions: readonly IndexRegion[]): Promise<RegionDirectory[]>;
  /** The block of each cell, in the same order. Synchronous if all are cached. */
  blocks(cells: readonly IndexCell[]): Blocks | Promise<Blocks>;
  /** The block of a cell, past what is cached of it: null if it has none. */
  readBlock(cell: IndexCell): Promise<DecodedBlock | null>;
  /** Reads new entries of a region's lists, including every entry that a block read earlier refers to, unless the block has changed. */
  refreshLists(region: IndexRegion): Promise<void>;
  /** Reads new entries of a region's opening times. */
  refreshOpeningTimes(region: IndexRegion): Promise<void>;
  /** The numbers of those operators that have ever had a site. */
  operatorNumbers(operatorIds: readonly string[]): Promise<ReadonlySet<number>> | ReadonlySet<number>;
}

/** The occupied cells of a region, and its lists. The size profiles are at least as new as the bitmap. */
export interface RegionDirectory {
  /** Bitmap of occupied index cells. */
  readonly occupied: Buffer;
  readonly lists: RegionLists;
}

/** Blocks; null for a cell without sites. */
export type Blocks = readonly (DecodedBlock | null)[];

const noOperators: ReadonlySet<number> = new Set();
const noCells = Buffer.alloc(0);

/**
 * Creates a reader over one connection. Data that changes is read through the cache, if there is one.
 *
 * @param now monotonic clock, in ms
 */
export function createIndexReader(
  redis: RedisConnection,
  keys: Keys,
  siteIds: SiteIds,
  cache?: TrackedCache,
  now: () => number = () => performance.now(),
): IndexReader {
  const decode = (bytes: Buffer) => new DecodedBlock(bytes, siteIds);
  const reader = createKeyReader(redis, cache);
  const regions = new Map<Region, IndexRegion>();
  const cell = createIndexCells(regionOf, keys.block);
  const lists = createRegionListReader(redis, keys, now);
  /** The tracking of each region's slot when its lists were last read. */
  const trackings = new WeakMap<IndexRegion, SlotTracking>();
  const operators = new Map<string, number>();
  // After a failover the server may have lost the last assigned numbers and may assign them again to something else.
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

  /**
   * Forgets a region's lists if its server may have failed over since they were read. A cluster connection does not always reconnect in a
   * failover.
   */
  function checkLists(region: IndexRegion): void {
    const tracking = cache?.trackingOf(keys.profiles(region.region));
    const before = trackings.get(region);
    if (tracking === undefined || tracking === before) return;
    trackings.set(region, tracking);
    if (before !== undefined) forgetLists(region);
  }

  async function readDirectory(region: IndexRegion): Promise<RegionDirectory> {
    const [bitmapKey, profilesKey] = [keys.occupiedCells(region.region), keys.profiles(region.region)];
    for (;;) {
      checkLists(region);
      const { lists: before } = region;
      const [bitmap] = await reader.values<Buffer | null | true>([bitmapKey, profilesKey], async (connection, missing) => {
        // The bitmap is read first, because the profiles must be at least as new; see region-lists.ts.
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
    nowMs: now,
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
      // If the profiles read so far fit the query, newer ones do not matter.
      const isSufficient = region.lists.mayFit(query) || reader.known(keys.profiles(region.region)) !== undefined;
      return isSufficient ? { occupied, lists: region.lists } : undefined;
    },
    directories: (wanted) => Promise.all(wanted.map(readDirectory)),
    blocks: (cells) =>
      reader.strings(
        cells.map(({ blockKey }) => blockKey),
        (index) => cells[index]?.region.region ?? "",
        decode,
      ),
    async readBlock(cell) {
      cache?.forget([cell.blockKey]);
      const [block] = await reader.strings([cell.blockKey], () => cell.region.region, decode);
      return block ?? null;
    },
    async refreshLists(region) {
      checkLists(region);
      await lists.readAll(region);
    },
    refreshOpeningTimes: (region) => lists.readOpeningTimes(region),
    operatorNumbers: (operatorIds) => (operatorIds.length === 0 ? noOperators : operatorNumbers(operatorIds)),
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
