import type { Position } from "@petak/allocator";
import type { Redis } from "ioredis";
import { type Network, positionOf, question } from "../network/network.ts";

/** Redis' own search over a sorted set of geohashes. Members are the sites' indexes, which are shorter than their ids. */
export interface GeoPeer {
  /** Up to 20 sites within a radius, nearest first, full or not: one `GEOSEARCH`. */
  within(origin: Position, radiusM: number): Promise<number[]>;
  /** The five nearest sites that are not full: `GEOSEARCH` with growing limits, filtered by what is free. */
  widened(origin: Position): Promise<number[]>;
  /** The same from a second set, from which full sites are removed. */
  amongFree(origin: Position): Promise<number[]>;
  /** Marks sites as full. */
  fill(indexes: readonly number[]): Promise<void>;
}

/** The first radius of the peer, in m: what people walk or ride to a locker. */
export const walkM = 2000;

/** How many sites the peer requests first. */
export const firstCount = 20;

/** A radius, in m, that includes every site. */
const farthestM = 5_000_000;

/** The factors by which each further search is wider than the one before. */
const growth = { count: 8, radius: 2 };

/** The geohash of 52 bits has an error of up to 0.6 m in a position, and of up to twice that in a distance. */
export const geoToleranceM = 1.5;

/** Concurrent commands while the peer is filled. */
const batch = 500;

/** Fills the peer's keys, which start with the prefix. */
export async function createGeoPeer(redis: Redis, network: Network, prefix = "geo:"): Promise<GeoPeer> {
  const [all, free, freeSites] = [`${prefix}all`, `${prefix}free-places`, `${prefix}free-sites`];
  for (let from = 0; from < network.count; from += batch) {
    const indexes = Array.from({ length: Math.min(batch, network.count - from) }, (_, offset) => from + offset);
    const places = indexes.flatMap((index) => {
      const { latitude, longitude } = positionOf(network, index);
      return [longitude, latitude, String(index)];
    });
    await redis.geoadd(all, ...places);
    await redis.geoadd(freeSites, ...places);
    await redis.call("BITFIELD", free, ...indexes.flatMap((index) => ["SET", "u8", `#${index}`, "1"]));
  }

  async function search(key: string, { latitude, longitude }: Position, radiusM: number, count: number): Promise<number[]> {
    const found = await redis.geosearch(key, "FROMLONLAT", longitude, latitude, "BYRADIUS", radiusM, "m", "ASC", "COUNT", count);
    return (found as string[]).map(Number);
  }

  return {
    within: (origin, radiusM) => search(all, origin, radiusM, firstCount),
    async widened(origin) {
      const found: number[] = [];
      let seen = 0;
      for (let count = firstCount, radiusM = walkM; ; count *= growth.count) {
        const sites = await search(all, origin, radiusM, count);
        const fresh = sites.slice(seen);
        seen = Math.max(seen, sites.length);
        if (fresh.length > 0) {
          const places = (await redis.call("BITFIELD_RO", free, ...fresh.flatMap((index) => ["GET", "u8", `#${index}`]))) as number[];
          found.push(...fresh.filter((_, place) => (places[place] ?? 0) > 0));
        }
        if (found.length >= question.limit) return found.slice(0, question.limit);
        if (sites.length < count) {
          if (radiusM >= farthestM) return found;
          radiusM *= growth.radius;
        }
      }
    },
    async amongFree(origin) {
      for (let radiusM = walkM; ; radiusM *= growth.radius) {
        const found = await search(freeSites, origin, radiusM, question.limit);
        if (found.length === question.limit || radiusM >= farthestM) return found;
      }
    },
    async fill(indexes) {
      for (let from = 0; from < indexes.length; from += batch) {
        const some = indexes.slice(from, from + batch);
        await redis.call("BITFIELD", free, ...some.flatMap((index) => ["SET", "u8", `#${index}`, "0"]));
        await redis.zrem(freeSites, ...some.map(String));
      }
    },
  };
}
