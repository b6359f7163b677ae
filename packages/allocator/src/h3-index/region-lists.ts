import type { Region } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";

/** A list that each region keeps in Redis, to which things are only ever appended, read as far as it is needed. */
export interface RegionList<Item> {
  /** What stands at an index; undefined where it has not been read. */
  get(region: Region, index: number): Item | undefined;
  /** Reads what a region's list has more than before. */
  refresh(region: Region): Promise<void>;
}

/** Reads lists through a connection. What was read is kept: an index never changes its meaning. */
export function createRegionList<Item>(
  redis: RedisConnection,
  keyOf: (region: Region) => string,
  decode: (bytes: Buffer) => Item,
): RegionList<Item> {
  const lists = new Map<Region, Item[]>();
  // A server that was failed over may have lost the last items, and append others in their place.
  redis.on("ready", () => lists.clear());
  return {
    get: (region, index) => lists.get(region)?.[index],
    async refresh(region) {
      const list = lists.get(region) ?? [];
      lists.set(region, list);
      const from = list.length;
      const more = await redis.lrangeBuffer(keyOf(region), from, -1);
      // Two that read at the same time write the same items in the same places.
      more.forEach((bytes, index) => {
        list[from + index] = decode(bytes);
      });
    },
  };
}
