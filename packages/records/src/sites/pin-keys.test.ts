import { createKeys, createSiteIds } from "@petak/redis";
import { testStoreCode, useRedis } from "@petak/testkit";
import { expect, it } from "vitest";
import { endLease } from "./agent-leases.ts";
import { createPinKeys } from "./pin-keys.ts";

const redis = useRedis();
const siteIds = createSiteIds(testStoreCode);
const siteId = siteIds.format("83652b", 1);

it("the key for PINs is told to agents whose call is still allowed, and whoever was told may know it until it is raised", async () => {
  const keys = createKeys(redis.keyPrefix);
  const pinKeys = createPinKeys(redis.client, keys, siteIds);
  const device = (name: string) => ({ siteId, keyId: `key_test_${name}`, fence: { nonce: new Uint8Array(), inChargeKeyId: "" } });
  const [told, silent, ended] = [device("told"), device("silent"), device("ended")];
  await endLease(redis.client, keys.agentLease("83652b", 1, ended.keyId));
  expect(await pinKeys.handOver(ended)).toBeUndefined();
  expect(await pinKeys.handOver({ ...silent, fence: { ...silent.fence, inChargeKeyId: told.keyId } })).toBeUndefined();
  for (const _ of [1, 2]) expect(await pinKeys.handOver(told)).toBe(0);
  const knows = async () => await Promise.all([told, silent, ended].map((one) => pinKeys.mayKnow(one, 1000)));
  expect(await knows()).toEqual([true, false, false]);
  await pinKeys.raise(siteId, "a cause");
  expect(await knows()).toEqual([false, false, false]);
  expect(await pinKeys.handOver(told)).toBe(1);
  expect(await knows()).toEqual([true, false, false]);
  // What an earlier release told is not noted.
  await redis.client.set(keys.issuedSince(), 2000);
  expect(await knows()).toEqual([true, true, true]);
});
