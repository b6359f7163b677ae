import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { claimAudience } from "./audience.ts";

const redis = useRedis();
const keys = () => createKeys(`${redis.keyPrefix}petak`);
const claim = (configured = "") => claimAudience(redis.client, keys(), configured);

describe("the audience of a store", () => {
  it("is random, and the same for all gateways that begin at once or later", async () => {
    const claimed = await Promise.all([claim(), claim(), claim()]);
    const [{ audience } = { audience: "" }] = claimed;
    expect(audience).toMatch(/^petak-[0-9a-hjkmnp-tv-z]{16}$/);
    expect(claimed).toEqual(claimed.map(() => ({ audience, stored: audience })));
    expect(await claim()).toEqual({ audience, stored: audience });
  });

  it("differs between stores", async () => {
    const other = createKeys(`${redis.keyPrefix}other`);
    expect((await claim()).audience).not.toBe((await claimAudience(redis.client, other, "")).audience);
  });

  it("is the setting's if there is one, and stays when the setting goes", async () => {
    expect(await claim("gateway.example")).toEqual({ audience: "gateway.example", stored: "gateway.example" });
    expect((await claim()).audience).toBe("gateway.example");
    expect(await claim("another")).toEqual({ audience: "another", stored: "gateway.example" });
  });

  it("stays petak where an earlier release registered participants", async () => {
    await redis.client.sadd(keys().participants(), "par_w8ase5n2ehjkbmbe");
    expect(await claim()).toEqual({ audience: "petak", stored: "petak" });
  });
});
