import { create, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { KeySchema, Mode, ParticipantSchema, PublishableKeySchema, Role } from "@petak/protocol";
import { createKeys, createSiteIds } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createParticipantStore } from "../participants/participant-store.ts";
import { createSiteStore } from "../sites/site-store.ts";
import { upgradeStore } from "./upgrade-store.ts";

const redis = useRedis();
const [operatorId, adminId] = ["par_0000000000000001", "par_0000000000000002"];
const keys = () => createKeys(redis.keyPrefix);
const at = (ms: number) => timestampFromMs(1_795_576_959_000 + ms);
const siteIds = createSiteIds(testStoreCode);

const own = create(KeySchema, { keyId: "key_test_1", participantId: operatorId, mode: Mode.TEST, createdAt: at(1) });
const agent = create(KeySchema, { ...own, keyId: "key_test_2", siteId: "site_1", createdAt: at(2) });
const revoked = create(KeySchema, { ...own, keyId: "key_live_3", mode: Mode.LIVE, createdAt: at(3), revokedAt: at(9) });
const ofAdmin = create(KeySchema, { ...revoked, keyId: "key_live_4", participantId: adminId });
const publishable = create(PublishableKeySchema, { publishableKey: "pk_test_5", participantId: operatorId, mode: Mode.TEST });

/** Writes participants and keys as version 2 had them. */
beforeEach(async () => {
  const { client } = redis;
  for (const [participantId, roles] of [
    [operatorId, [Role.OPERATOR]],
    [adminId, [Role.ADMIN]],
  ] as const) {
    await client.sadd(keys().participants(), participantId);
    const participant = create(ParticipantSchema, { participantId, roles: [...roles] });
    await client.set(keys().participant(participantId), Buffer.from(toBinary(ParticipantSchema, participant)));
  }
  for (const key of [own, agent, revoked, ofAdmin]) {
    await client.set(keys().key(key.keyId), Buffer.from(toBinary(KeySchema, key)));
    await client.sadd(keys().formerKeysOf(key.participantId), key.keyId);
  }
  await client.set(keys().publishableKey("pk_test_5"), Buffer.from(toBinary(PublishableKeySchema, publishable)));
  await client.sadd(keys().formerKeysOf(operatorId), "pk_test_5");
});

const upgrade = (oldest = 2) => upgradeStore({ redis: redis.client, keys: keys(), siteIds }, { oldest, newest: 3 });

describe("a store of version 2", () => {
  it("has its keys listed by kind and network, also if several gateways do it or one was cut off", async () => {
    await Promise.all([upgrade(), upgrade()]);
    await redis.client.sadd(keys().formerKeysOf(operatorId), own.keyId);
    await upgrade();
    const store = createParticipantStore(redis.client, keys());
    const page = await store.keysOf(operatorId, undefined, 10, Date.now());
    expect(page.keys.map(({ keyId }) => keyId)).toEqual([revoked.keyId, own.keyId, agent.keyId]);
    expect(page.publishableKeys).toEqual([publishable]);
    expect((await store.keysOf(adminId, undefined, 10, Date.now())).keys).toEqual([ofAdmin]);
    expect(await redis.client.exists(keys().formerKeysOf(operatorId))).toBe(0);
    expect(await redis.client.hget(keys().dataVersion(), "oldest")).toBe("3");
  });

  it("loses revoked keys after a while, except those of administrators", async () => {
    await upgrade();
    const ttl = async ({ keyId }: { keyId: string }) => await redis.client.pttl(keys().key(keyId));
    expect([await ttl(own), await ttl(ofAdmin)]).toEqual([-1, -1]);
    expect(await ttl(revoked)).toBeGreaterThan(0);
  });

  it("has its sites counted by network, and listed", async () => {
    const sites = createSiteStore(redis.client, keys(), siteIds);
    for (const [ref, isTest] of [
      ["A", true],
      ["B", true],
      ["C", false],
    ] as const) {
      await sites.put({ ...makeSite({ ref, latitude: 1.3, longitude: 103.8 }), operatorId, isTest }, 0);
    }
    const counted = [keys().operatorSites("test", operatorId), keys().operatorSites("live", operatorId)];
    const listed = keys().listedSites((await redis.client.smembers(keys().regions()))[0] ?? "");
    await redis.client.del(...counted, listed);
    await Promise.all([upgrade(), upgrade()]);
    expect(await Promise.all(counted.map((key) => redis.client.scard(key)))).toEqual([2, 1]);
    const order = await redis.client.zrange(listed, "0", "-1");
    expect([order.sort(), await redis.client.zscore(listed, "last")]).toEqual([["1", "2", "3", "last"], "3"]);
  });

  it("has the size profiles and opening times of its regions counted by the records that name them, and loses the others", async () => {
    const sites = createSiteStore(redis.client, keys(), siteIds);
    const facts = { latitude: 1.3, longitude: 103.8 };
    const closed = { openingHours: { weekly: [] } };
    await sites.put({ ...makeSite({ ...facts, ref: "A" }, closed), operatorId }, 0);
    await sites.put({ ...makeSite({ ...facts, ref: "B" }, closed), operatorId }, 0);
    const region = (await redis.client.smembers(keys().regions()))[0] ?? "";
    const [profiles, hours] = [keys().profiles(region), keys().openingTimes(region)];
    const stateOf = async () => [
      await redis.client.zrange(profiles, "0", "-1", "WITHSCORES"),
      await redis.client.zrange(hours, "0", "-1", "WITHSCORES"),
      await redis.client.hgetall(keys().profileUses(region)),
      await redis.client.hgetall(keys().openingTimesUses(region)),
    ];
    const before = await stateOf();
    // Version 2 counted size profiles from 0 and opening times from 1; here both have number 1.
    const [[profile = ""], [times = ""]] = [await redis.client.zrange(profiles, "0", "-1"), await redis.client.zrange(hours, "0", "-1")];
    await redis.client.rpush(keys().formerProfiles(region), "unnamed", profile);
    await redis.client.rpush(keys().formerOpeningTimes(region), times, "unnamed");
    await redis.client.del(profiles, hours, keys().profileUses(region), keys().openingTimesUses(region));
    await Promise.all([upgrade(), upgrade()]);
    const [profilesNow, hoursNow, profileUses, hoursUses] = await stateOf();
    expect([profilesNow, hoursNow, profileUses, { ...(hoursUses as object), last: "1" }]).toEqual(before);
    expect(await redis.client.exists(keys().formerProfiles(region), keys().formerOpeningTimes(region))).toBe(0);
    await sites.put({ ...makeSite({ ...facts, ref: "C", classes: [["M", 1, 1, 1, 1, 1]] }), operatorId }, 0);
    expect(await redis.client.zcard(profiles)).toBe(2);
  });

  it("is left alone once it has version 3", async () => {
    await upgrade(3);
    expect(await redis.client.exists(keys().formerKeysOf(operatorId))).toBe(1);
  });
});
