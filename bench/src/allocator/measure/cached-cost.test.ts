import { createSearchableRecords } from "@petak/records/testing/candidates";
import { createRandom, testStoreCode, useRedis } from "@petak/testkit";
import { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { targetsOf } from "../load/hold-targets.ts";
import { loadSites } from "../load/load-sites.ts";
import { cityNetwork, cityOrigins } from "../network/city.ts";
import { warmCosts } from "./warm-costs.ts";

const redis = useRedis();

test("warm queries read only what holds have changed, and the commands of holds are not counted", async () => {
  const writer = new Redis({ ...redis.options });
  onTestFinished(() => writer.disconnect());
  const cached = createSearchableRecords({
    redis: writer,
    prefix: redis.keyPrefix,
    storeCode: testStoreCode,
    indexCache: {
      connect: () => new Redis({ ...redis.options, lazyConnect: true }),
      onError: (error) => {
        throw error;
      },
    },
  });
  onTestFinished(() => cached.stop());
  const network = cityNetwork(600, 12);
  const siteIds = await loadSites(cached, network, { from: 0, to: network.count, largePlaces: () => 1 });
  const targets = targetsOf(network, siteIds);

  const costs = await warmCosts(writer, cached, cityOrigins(2000, 13), targets, 4, createRandom(14));

  for (const { keysRead, commands } of costs) {
    expect(keysRead).toBeGreaterThan(0);
    expect(commands).not.toHaveProperty("evalsha");
    expect(commands).not.toHaveProperty("xadd");
  }
  // Each query causes a tenth of a hold, and each hold changes one block. A pause of the machine for a second would empty the cache.
  expect(Math.min(...costs.map(({ keysRead }) => keysRead))).toBeLessThan(0.15);
});
