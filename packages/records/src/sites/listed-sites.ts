import type { Region } from "@petak/protocol";
import type { Keys, RedisConnection, SiteIds } from "@petak/redis";
import { decodeSiteRecord, type FiledSite } from "./site-record.ts";

/** How much is read at once. */
export interface ListedMax {
  /** Entries. */
  readonly sites: number;
  /** Bytes of sites as they are stored. The first site is read however long it is. */
  readonly bytes: number;
}

/** Sites that have changed. */
export interface ChangedSites {
  /** As they are now, in the order of their changes. Retired ones are among them until they end. */
  readonly sites: FiledSite[];
  /** Bytes of these sites as they are stored. */
  readonly bytes: number;
  /** Whoever knows these sites knows all changes up to this sequence. Always greater than the one that was asked for, unless nothing has changed. */
  readonly sequence: number;
}

/**
 * The sites of the store in the order of their changes, region by region. The script that writes a site gives it the next sequence of its region, so that whoever
 * has read all sites up to a sequence misses nothing by asking for those after it: what changes meanwhile gets a greater one.
 */
export interface ListedSites {
  /** The regions that have or had a site in one of some countries, in ascending order. Without countries: all. */
  regions(countryCodes: readonly string[]): Promise<Region[]>;
  /** The greatest sequence of each region; 0 if it never had a site. */
  lasts(regions: readonly Region[]): Promise<number[]>;
  /** The sites of a region that have changed after a sequence. There may be none, although the sequence grows. */
  changedAfter(region: Region, sequence: number, max: ListedMax): Promise<ChangedSites>;
}

/** The entry that has the greatest sequence, see lua/includes/listed-sites.lua. */
const last = "last";

/** Creates the list over the store. */
export function createListedSites(redis: RedisConnection, keys: Keys, siteIds: SiteIds): ListedSites {
  return {
    async regions(countryCodes) {
      const sets = countryCodes.length === 0 ? [keys.regions()] : countryCodes.map((countryCode) => keys.countryRegions(countryCode));
      const regions = await Promise.all(sets.map((set) => redis.smembers(set)));
      return [...new Set(regions.flat())].sort();
    },
    async lasts(regions) {
      const scores = await Promise.all(regions.map((region) => redis.zscore(keys.listedSites(region), last)));
      return scores.map((score) => Number(score ?? 0));
    },
    async changedAfter(region, sequence, max) {
      const listed = keys.listedSites(region);
      const entries = await redis.zrangebyscore(listed, `(${sequence}`, "+inf", "WITHSCORES", "LIMIT", 0, max.sites);
      const numbers = entries.filter((_, index) => index % 2 === 0);
      const records = await Promise.all(
        numbers.map(async (number) => (number === last ? null : await redis.getBuffer(keys.site(region, Number(number))))),
      );
      const sites: FiledSite[] = [];
      let [bytes, known] = [0, sequence];
      for (const [index, record] of records.entries()) {
        if (record !== null) {
          if (sites.length > 0 && bytes + record.length > max.bytes) break;
          sites.push(decodeSiteRecord(siteIds.format(region, Number(numbers[index])), record));
          bytes += record.length;
        }
        known = Number(entries[2 * index + 1]);
      }
      return { sites, bytes, sequence: known };
    },
  };
}
