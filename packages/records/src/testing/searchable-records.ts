import { createSiteSearch, type OwnedSiteSearch, type SiteSearchOptions } from "@petak/allocator";
import { createKeys, createSiteIds, type Keys } from "@petak/redis";
import { createRecords, type Records, type RecordsOptions } from "../records.ts";

/** The records of a store, the search over its index, and the names of its keys. */
export interface SearchableRecords extends Records, OwnedSiteSearch {
  readonly keys: Keys;
}

/** Creates the records of a store and the search over its index. With an index cache, holds are taken through it. */
export function createSearchableRecords({
  indexCache,
  now = () => performance.now(),
  ...options
}: Omit<RecordsOptions, "indexCache"> & Pick<SiteSearchOptions, "indexCache" | "now">): SearchableRecords {
  const keys = createKeys(options.prefix ?? "petak");
  const siteIds = createSiteIds(options.storeCode);
  const search = createSiteSearch({ redis: options.redis, keys, siteIds, now, ...(indexCache === undefined ? {} : { indexCache }) });
  return { ...createRecords({ ...options, indexCache: search.indexCache }), ...search, keys };
}
