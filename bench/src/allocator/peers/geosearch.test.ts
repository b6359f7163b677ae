import { createSearchableRecords } from "@petak/records/testing/candidates";
import { testStoreCode, useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { type Answered, differenceOf, nearestByBruteForce } from "../answers.ts";
import { fillingOrder, holdPlaces } from "../load/hold-places.ts";
import { loadSites } from "../load/load-sites.ts";
import { cityNetwork, cityOrigins } from "../network/city.ts";
import { question } from "../network/network.ts";
import { createGeoPeer, geoToleranceM, walkM } from "./geosearch.ts";

const redis = useRedis();

test("allocator and GEOSEARCH both skip full sites, and find the same sites as a brute-force search", async () => {
  const network = cityNetwork(600, 5);
  const client = new Redis({ ...redis.options });
  onTestFinished(() => client.disconnect());
  const records = createSearchableRecords({ redis: client, prefix: redis.keyPrefix, storeCode: testStoreCode });
  const peer = await createGeoPeer(client, network, `${redis.keyPrefix}geo:`);
  const siteIds = await loadSites(records, network, { from: 0, to: network.count, largePlaces: () => 1 });
  const full = fillingOrder(network, 6).slice(0, 570);
  const origins = cityOrigins(30, 7);
  const nearestOf = async (origin: Answered["origin"]) =>
    (await records.nearest({ ...question, origin })).map(({ siteId }) => siteIds.indexOf(siteId));
  const before = await Promise.all(origins.map(nearestOf));
  await holdPlaces(records, network, siteIds, full, () => {});
  await peer.fill(full);

  const isFull = (index: number) => full.includes(index);
  expect(before.flat().some(isFull)).toBe(true);
  for (const origin of origins) {
    const byHand = nearestByBruteForce(network, isFull, origin, question.limit);
    const ours = { origin, sites: await nearestOf(origin) };
    expect(differenceOf(network, ours, byHand, 0.05)).toBeUndefined();
    expect(differenceOf(network, ours, await peer.widened(origin), geoToleranceM)).toBeUndefined();
    expect(differenceOf(network, ours, await peer.amongFree(origin), geoToleranceM)).toBeUndefined();
    const plain = await peer.within(origin, walkM);
    expect(plain.some(isFull) || plain.length === 0).toBe(true);
  }
});
