import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { createRecords } from "../records.ts";

const redis = useRedis();

it("a site is read with the counts of its own size classes, even if a writer swaps them between the reads of record and counts", async () => {
  const [reading, writing] = [await redis.connect(), await redis.connect()];
  try {
    const [reader, writer] = [reading, writing].map((connection) =>
      createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
    ) as [ReturnType<typeof createRecords>, ReturnType<typeof createRecords>];
    const put = (...classes: NonNullable<Parameters<typeof makeSite>[0]["classes"]>) =>
      writer.sites.put(makeSite({ latitude: 1.3, longitude: 103.8, classes }), 0);
    const { siteId } = await put(["S", 100, 100, 100, 1000, 2], ["L", 400, 400, 400, 1000, 5]);
    const read = reading.getBuffer.bind(reading) as (key: string) => Promise<Buffer | null>;
    let reads = 0;
    Object.assign(reading, {
      getBuffer: async (key: string) => {
        const record = await read(key);
        if (reads++ === 0) await put(["L", 400, 400, 400, 1000, 5], ["S", 100, 100, 100, 1000, 2]);
        return record;
      },
    });
    const stored = await reader.sites.find(siteId);
    expect(stored?.site.sizeClasses.map(({ sizeClassId }, index) => [sizeClassId, stored.counts[index]?.installed])).toEqual([
      ["L", 5],
      ["S", 2],
    ]);
  } finally {
    for (const connection of [reading, writing]) connection.disconnect();
  }
});
