import { createSearchableRecords, type SearchableRecords } from "@petak/records/testing/candidates";
import { duplicateConnection, isCluster, type RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import type { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { plainQuery } from "../testing/plain-query.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
let connection: RedisConnection;
let made: SearchableRecords[];

beforeEach(async () => {
  connection = await redis.connect();
  made = [];
});
afterEach(() => {
  for (const records of made) records.stop();
  connection.disconnect();
});

function allocatorWith(connect?: (server: Redis) => Redis): SearchableRecords {
  const indexCache = { onError: () => {}, ...(connect === undefined ? {} : { connect }) };
  const records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak`, indexCache });
  made.push(records);
  return records;
}

describe("a search is ready", () => {
  it("soon, with sites and without", async () => {
    expect(await allocatorWith().ready(60_000)).toBe(true);
    await allocatorWith().sites.put(makeSite({ ...origin, ref: "a" }), 0);
    expect(await allocatorWith().ready(60_000)).toBe(true);
  });

  it("at once, without a cache", async () => {
    expect(await createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }).ready(0)).toBe(
      true,
    );
  });

  it("never, if the server does not permit tracking; searches still work", async () => {
    const username = redis.keyPrefix.replace(":", "");
    const servers = isCluster(connection) ? connection.nodes("master") : [connection];
    await Promise.all(servers.map((server) => server.acl("SETUSER", username, "on", "nopass", "~*", "&*", "+@all", "-client|tracking")));
    try {
      const records = allocatorWith((server) => {
        const limited = duplicateConnection(server, { onError: () => {} });
        Object.assign(limited.options, { username, password: "any" });
        return limited;
      });
      const { siteId } = await records.sites.put(makeSite({ ...origin, ref: "a" }), 0);
      expect(await records.ready(300)).toBe(false);
      expect((await records.nearest(plainQuery(origin))).map((found) => found.siteId)).toEqual([siteId]);
    } finally {
      await Promise.all(servers.map((server) => server.acl("DELUSER", username)));
    }
  });
});
