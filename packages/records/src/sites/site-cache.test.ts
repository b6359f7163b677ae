import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { CompartmentSchema, SiteSchema } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { createSiteCache } from "./site-cache.ts";

const redis = useRedis();
let connection: RedisConnection;
let records: Records;

beforeEach(async () => {
  connection = await redis.connect();
  records = createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  return () => connection.disconnect();
});

const put = (ref: string, places = 1) =>
  records.sites.put(makeSite({ latitude: 1.3, longitude: 103.8, ref, classes: [["M", 400, 200, 500, 20_000, places]] }), 0);

describe("the cache of sites' facts", () => {
  it("returns facts that it had when it was asked, even if they are evicted while the rest is read", async () => {
    const wanted = [await put("a"), await put("b"), await put("c")].map(({ siteId, revision }) => ({ siteId, revision }));
    const cache = createSiteCache(records.sites, { sites: 1 });
    await cache.facts(wanted.slice(0, 1));
    const facts = await cache.facts(wanted);
    expect(facts.map((site) => site?.operatorSiteRef)).toEqual(["a", "b", "c"]);
  });

  it("returns facts that it had when it was asked, even if it is cleared while the rest is read", async () => {
    const wanted = [await put("a"), await put("b")].map(({ siteId, revision }) => ({ siteId, revision }));
    const cache = createSiteCache(records.sites);
    await cache.facts(wanted.slice(0, 1));
    const reading = cache.facts(wanted);
    cache.clear();
    expect((await reading).map((site) => site?.operatorSiteRef)).toEqual(["a", "b"]);
  });

  it("keeps fewer sites with many compartments, so that nobody fills the memory with them", async () => {
    const cache = createSiteCache(records.sites, { bytes: 100_000 });
    const compartments = Array.from({ length: 500 }, (_, index) =>
      create(CompartmentSchema, { compartmentId: `${index}`, sizeClassId: "M" }),
    );
    const of = (siteId: string, site: MessageInitShape<typeof SiteSchema> = {}) => create(SiteSchema, { siteId, revision: 1, ...site });
    const isKept = (siteId: string) => !(cache.facts([{ siteId, revision: 1 }]) instanceof Promise);
    for (const siteId of ["a", "b"]) cache.remember({ site: of(siteId, { compartments }) });
    expect(["a", "b"].map(isKept)).toEqual([false, true]);
    // What is replaced does not count any more.
    for (let revision = 2; revision < 9; revision++) cache.remember({ site: of("b", { revision, compartments }) });
    for (let index = 0; index < 40; index++) cache.remember({ site: of(`small ${index}`) });
    expect(["b", "small 0", "small 39"].map(isKept)).toEqual([true, true, true]);
    cache.remember({ site: of("c", { compartments }) });
    expect(["b", "small 0", "c"].map(isKept)).toEqual([false, true, true]);
  });

  it("does not replace facts by those of a read that began earlier and ended later", async () => {
    const { siteId } = await put("a");
    const before = await records.sites.find(siteId);
    if (before === undefined) throw new Error("the site was put");
    const { revision } = await put("a", 2);
    const cache = createSiteCache(records.sites);
    const [after] = await cache.facts([{ siteId, revision }]);
    cache.remember(before);
    expect(cache.facts([{ siteId, revision }])).toEqual([after]);
  });
});
