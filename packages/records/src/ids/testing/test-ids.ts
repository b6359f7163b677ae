import { createSiteIds, type Keys, type RedisConnection } from "@petak/redis";
import { testStoreCode } from "@petak/testkit";
import type { ShortIds } from "../../reservations/reservation-record.ts";
import { createTermsRecords } from "../../terms/terms-records.ts";

/** The ids of the sites of tests' stores. */
export const testSiteIds = createSiteIds(testStoreCode);

/** The short ids of a test's records. */
export function testIds(redis: RedisConnection, keys: Keys): ShortIds {
  return { siteIds: testSiteIds, terms: createTermsRecords(redis, keys) };
}
