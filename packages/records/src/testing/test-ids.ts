import { createSiteIds, type Keys, type RedisConnection } from "@petak/redis";
import { testStoreCode } from "@petak/testkit";
import type { ShortIds } from "../encoding/short-ids.ts";
import { createTermsRecords } from "../terms/terms-records.ts";

/** The site ids of the tests' store. */
export const testSiteIds = createSiteIds(testStoreCode);

/** The short ids of a test's store. */
export function testIds(redis: RedisConnection, keys: Keys): ShortIds {
  return { siteIds: testSiteIds, terms: createTermsRecords(redis, keys) };
}
