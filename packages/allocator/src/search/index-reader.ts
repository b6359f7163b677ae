import type { Region } from "@petak/protocol";
import type { Redis } from "ioredis";
import { decodeSizeProfile, fittingClasses, type ParcelMeasures, type SizeClassMeasures } from "../block/size-profile.ts";
import type { Keys } from "../keys.ts";
import type { CellInRegion } from "./neighbourhood.ts";

/** Reads the index. Profiles and operator numbers never change once given out, so they are kept. */
export interface IndexReader {
  /** Regions that have or had a site. */
  regions(): Promise<Region[]>;
  /** The bitmap of occupied cells of each region, in the same order. Their profiles are up to date after it. */
  occupiedCells(regions: Region[]): Promise<(Buffer | undefined)[]>;
  /** Whether a region has a size profile for which a predicate holds. */
  someProfile(region: Region, holds: (profileNumber: number) => boolean): boolean;
  /** The block of each cell, in the same order; undefined for an empty one. */
  blocks(cells: CellInRegion[]): Promise<(Buffer | undefined)[]>;
  /** Reads a region's profiles anew. */
  refreshProfiles(region: Region): Promise<void>;
  /** The classes of a profile that a parcel fits, remembered for the query; undefined for a profile that is not known yet. */
  fittingLookup(parcel: ParcelMeasures): (region: Region, profileNumber: number) => readonly number[] | undefined;
  /** The numbers of those operators that have any site. */
  operatorNumbers(operatorIds: readonly string[]): Promise<Set<number>>;
}

/** Reads the index through one connection. */
export function createIndexReader(redis: Redis, keys: Keys): IndexReader {
  const profiles = new Map<Region, SizeClassMeasures[][]>();
  const operators = new Map<string, number>();
  // A server that was failed over may have lost the last numbers it gave out, and give them out again for something else.
  redis.on("ready", () => {
    profiles.clear();
    operators.clear();
  });

  /** One MGET for each region: on a cluster a command touches one slot. */
  async function readByRegion<Item>(items: Item[], regionOf: (item: Item) => Region, keyOf: (item: Item) => string) {
    const found: (Buffer | undefined)[] = new Array(items.length);
    const groups = new Map<Region, number[]>();
    items.forEach((item, index) => {
      const region = regionOf(item);
      const group = groups.get(region);
      if (group === undefined) groups.set(region, [index]);
      else group.push(index);
    });
    await Promise.all(
      [...groups.values()].map(async (indexes) => {
        const values = await redis.mgetBuffer(indexes.map((index) => keyOf(items[index] as Item)));
        indexes.forEach((index, place) => {
          found[index] = values[place] ?? undefined;
        });
      }),
    );
    return found;
  }

  async function refreshProfiles(region: Region): Promise<void> {
    const list = await redis.lrangeBuffer(keys.profiles(region), 0, -1);
    profiles.set(region, list.map(decodeSizeProfile));
  }

  return {
    regions: () => redis.smembers(keys.regions()),
    async occupiedCells(regions) {
      const bitmaps = readByRegion(
        regions,
        (region) => region,
        (region) => keys.occupiedCells(region),
      );
      await Promise.all(
        regions.map(async (region) => {
          const count = await redis.llen(keys.profiles(region));
          if (count !== profiles.get(region)?.length) await refreshProfiles(region);
        }),
      );
      return await bitmaps;
    },
    someProfile: (region, holds) => (profiles.get(region) ?? []).some((_profile, profileNumber) => holds(profileNumber)),
    blocks: (cells) =>
      readByRegion(
        cells,
        ({ region }) => region,
        ({ region, cell }) => keys.block(region, cell),
      ),
    refreshProfiles,
    fittingLookup(parcel) {
      const remembered = new Map<SizeClassMeasures[], number[]>();
      return (region, profileNumber) => {
        const profile = profiles.get(region)?.[profileNumber];
        if (profile === undefined) return undefined;
        let fitting = remembered.get(profile);
        if (fitting === undefined) {
          fitting = fittingClasses(parcel, profile);
          remembered.set(profile, fitting);
        }
        return fitting;
      };
    },
    async operatorNumbers(operatorIds) {
      const unknown = operatorIds.filter((id) => !operators.has(id));
      if (unknown.length > 0) {
        const numbers = await redis.hmget(keys.operatorNumbers(), ...unknown);
        unknown.forEach((id, index) => {
          const number = numbers[index];
          if (number !== null && number !== undefined) operators.set(id, Number(number));
        });
      }
      return new Set(operatorIds.map((id) => operators.get(id)).filter((number) => number !== undefined));
    },
  };
}
