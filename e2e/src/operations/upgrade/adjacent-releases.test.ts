import { randomUUID } from "node:crypto";
import { DataVersionError } from "@petak/gateway";
import { ReservationState } from "@petak/protocol";
import { startTestReplica, startTestServer } from "@petak/testkit";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, it } from "vitest";
import { keptData } from "./kept-data.ts";
import { callersOf, type LoadedData, loadKeptData } from "./over-kept-data.ts";

const kept = await keptData(2);
const { facts } = kept;
const key = `${facts.prefix}:data-version`;
let data: LoadedData;

/** Four consecutive releases: the second reads a new version, and the third writes it. */
const first = { oldestRead: 2, newestRead: 2, written: 2 };
const second = { oldestRead: 2, newestRead: 3, written: 2 };
const third = { oldestRead: 2, newestRead: 3, written: 3 };
const fourth = { oldestRead: 3, newestRead: 3, written: 3 };

beforeEach(async () => {
  data = await loadKeptData(kept);
});

const start = (versions: typeof first) => data.start({ storeEntry: { versions } });
const stated = () => data.redis.hmget(key, "oldest", "newest");
const refused = (message: string) => ({ name: DataVersionError.name, message });

describe("the version of the data", () => {
  it("is written by the first gateway of an empty store", async () => {
    await data.redis.flushall();
    await start(third);
    expect(await stated()).toEqual(["3", "3"]);
  });

  it("keeps a gateway from newer or older data than it reads, with one sentence, and leaves the data unchanged", async () => {
    await expect(start({ oldestRead: 3, newestRead: 4, written: 4 })).rejects.toMatchObject(
      refused(
        "The data in Redis has version 2 and this release reads versions 3 to 4: start an earlier release that reads version 2, or give this one an empty Redis.",
      ),
    );
    await data.redis.hset(key, { newest: 3 });
    await expect(start(first)).rejects.toMatchObject(
      refused(
        "The data in Redis has version 3 and this release reads only version 2: start a later release that reads version 3, or give this one an empty Redis.",
      ),
    );
    expect(await data.redis.hgetall(key)).toEqual({ oldest: "2", newest: "3" });
  });

  it("is not guessed if Redis has lost it, and is restored by a gateway that knows it", async () => {
    await data.redis.del(key);
    await expect(data.start()).rejects.toMatchObject(
      refused(
        `The data in Redis states no version, which its key ${key} had: restore the data from a backup, set 'oldest' and 'newest' in that hash as docs/upgrading.md says, or give this one an empty Redis.`,
      ),
    );
    await data.redis.hset(key, { oldest: 2, newest: 2 });
    const { find } = callersOf(facts, await data.start());
    expect((await find("held")).state).toBe(ReservationState.HELD);
  });
});

describe("a gateway", () => {
  it("is refused by a replica, where it cannot register, and leaves no trace", async () => {
    await using master = await startTestServer({ hasReplicas: true });
    const redis = new Redis(master.options);
    await kept.loadInto(redis);
    const before = await redis.hgetall(key);
    await using replica = await startTestReplica(master);
    await expect(data.start({ redis: { address: replica.address } })).rejects.toThrow(
      /rejects writes: it is a replica; set redisUrl to the master/,
    );
    expect(await redis.hgetall(key)).toEqual(before);
    redis.disconnect();
  });

  it("that is killed while it registers leaves the store to the next one", async () => {
    await data.redis.hset(key, "killed", `2 ${Date.now() + 60_000}`);
    const { find } = callersOf(facts, await start(first));
    expect((await find("held")).state).toBe(ReservationState.HELD);
  });

  it("registers together with others that start at the same time", async () => {
    await data.redis.flushall();
    const networks = await Promise.all([start(first), start(second), start(first)]);
    expect(await stated()).toEqual(["2", "2"]);
    expect(await data.redis.hlen(key)).toBe(2 + networks.length);
  });
});

describe("a running gateway", () => {
  it("stops, and says why, when the version of the data is raised above those that it reads", async () => {
    const network = await data.start({ storeEntry: { registeredMs: 100 }, expectsErrors: true });
    const isServing = () =>
      fetch(`${network.baseUrl}/readyz`).then(
        () => true,
        () => false,
      );
    expect(await isServing()).toBe(true);
    await data.redis.hset(key, "newest", 4);
    expect((await network.gateway.refusal).message).toMatch(/^The data in Redis has version 4/);
    expect(await isServing()).toBe(false);
    expect(network.log().some(({ level, err }) => level === 60 && err?.message.startsWith("The data in Redis has version 4"))).toBe(true);
  });
});

describe("gateways of adjacent releases over one store", () => {
  it.each([
    ["first", "second", first, second],
    ["second", "third", second, third],
  ])(
    "serve the same reservations together, and either can restart while the other runs (%s and %s)",
    async (_older, _newer, older, newer) => {
      const [one, other] = [await start(older), await start(newer)];
      const [there, here] = [callersOf(facts, one), callersOf(facts, other)];
      const { reservation } = await there.courier.reservations.reserve({
        requestId: randomUUID(),
        place: { case: "siteId", value: facts.sites.store },
        parcel: { widthMm: 200, heightMm: 100, depthMm: 300, massG: 500 },
      });
      const { reservationId = "" } = reservation ?? {};
      await here.courier.reservations.confirm({ requestId: randomUUID(), reservationId });
      expect((await there.courier.reservations.getReservation({ reservationId })).reservation?.state).toBe(ReservationState.CONFIRMED);
      expect((await here.find("collected")).state).toBe(ReservationState.COLLECTED);
      await one.gateway.stop();
      const again = await start(older);
      await other.gateway.stop();
      await start(newer);
      expect((await callersOf(facts, again).find("held")).state).toBe(ReservationState.HELD);
    },
  );

  it("do not exclude each other: a gateway does not start if a running one could not read what it writes", async () => {
    const running = await start(first);
    await expect(start(third)).rejects.toThrow(/^A running gateway reads data only up to version 2 and this release writes version 3/);
    await running.gateway.stop();
    await start(third);
    await expect(start(first)).rejects.toThrow(/^The data in Redis has version 3/);
    expect(await stated()).toEqual(["3", "3"]);
    await start(fourth);
  });
});
