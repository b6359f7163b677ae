import { createSiteSearch, type OwnedSiteSearch, type SiteSearchOptions } from "@petak/allocator";
import { createRecords, type Records, type RecordsOptions } from "../records.ts";

/** The records of a store together with the search over its index. */
export interface SearchableRecords extends Records, OwnedSiteSearch {}

/** Makes the records of a store and the search over its index. With an index cache, holds are taken through it. */
export function createSearchableRecords({
  indexCache,
  ...options
}: Omit<RecordsOptions, "indexCache"> & Pick<SiteSearchOptions, "indexCache">): SearchableRecords {
  const { keys, siteIds } = createRecords(options);
  const search = createSiteSearch({ redis: options.redis, keys, siteIds, ...(indexCache === undefined ? {} : { indexCache }) });
  return { ...createRecords({ ...options, indexCache: search.indexCache }), ...search };
}
