import { isStoreCode } from "@petak/protocol";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import type { RedisConnection } from "../connection/connect-redis.ts";
import { createKeys } from "../keys.ts";
import { claimStoreCode, StoreCodeError } from "./store-code.ts";

const redis = useRedis();
let connections: RedisConnection[];

beforeEach(async () => {
  connections = await Promise.all(Array.from({ length: 8 }, () => redis.connect()));
  return () => {
    for (const connection of connections) connection.disconnect();
  };
});

const claimAll = (name: string, own?: string) =>
  Promise.all(connections.map((connection) => claimStoreCode(connection, createKeys(`${redis.keyPrefix}${name}`), own)));

describe("a store's code", () => {
  it("is the same for all that open the store, concurrently or later, and differs from another store's", async () => {
    const codes = new Set([...(await claimAll("one")), ...(await claimAll("one"))]);
    expect(codes.size).toBe(1);
    const [code = ""] = codes;
    expect(isStoreCode(code)).toBe(true);
    const [other] = await claimAll("other");
    expect(other).not.toBe(code);
  });

  it("is restored by a process that knows it if Redis has lost it", async () => {
    const [code] = await claimAll("one");
    await redis.client.del(createKeys(`${redis.keyPrefix}one`).storeCode());
    expect(new Set(await claimAll("one", code))).toEqual(new Set([code]));
    expect(new Set(await claimAll("one"))).toEqual(new Set([code]));
    expect(new Set(await claimAll("one", "0x2mdk3v9c"))).toEqual(new Set([code]));
  });

  it("is refused if the stored value is not a store code", async () => {
    await redis.client.set(createKeys(`${redis.keyPrefix}one`).storeCode(), "7");
    await expect(claimAll("one")).rejects.toThrow(StoreCodeError);
  });
});
