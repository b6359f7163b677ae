import { create } from "@bufbuild/protobuf";
import { EventSchema } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import { useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { firstEntry } from "../encoding/stream-entry.ts";
import { createEventStream } from "../events/event-stream.ts";
import { testSiteIds } from "../testing/test-ids.ts";
import { createDeliveryStore, type DeliveryStore, type StoredRetry } from "./delivery-store.ts";

const redis = useRedis();
const subscriber = "whe_test_0000000000000001";
const long = 60_000;
let connection: RedisConnection;
let store: DeliveryStore;

beforeEach(async () => {
  connection = await redis.connect();
  store = createDeliveryStore(connection, createKeys(redis.keyPrefix));
  return () => connection.disconnect();
});

function retry(id: string, dueMs: number): StoredRetry {
  return { id, dueMs, content: Buffer.from(`of ${id}`) };
}

describe("the lease of a subscriber", () => {
  it("belongs to one deliverer until it is released", async () => {
    expect(await store.lease(subscriber, "a", long)).toBe("acquired");
    expect(await store.lease(subscriber, "b", long)).toBe("unavailable");
    expect(await store.lease(subscriber, "a", long)).toBe("renewed");
    await store.release(subscriber, "b");
    expect(await store.lease(subscriber, "b", long)).toBe("unavailable");
    await store.release(subscriber, "a");
    expect(await store.lease(subscriber, "b", long)).toBe("acquired");
  });

  it("can be acquired by another when it has expired", async () => {
    expect(await store.lease(subscriber, "a", 50)).toBe("acquired");
    await expect.poll(() => store.lease(subscriber, "b", long)).toBe("acquired");
    expect(await store.lease(subscriber, "a", long)).toBe("unavailable");
  });

  it("is required to write: a deliverer that lost it changes nothing", async () => {
    await store.lease(subscriber, "a", long);
    await store.begin(subscriber, { cursor: "1" });
    await store.addReplay(subscriber, { id: "r1", content: "x" }, 5);
    expect(await store.commit(subscriber, "a", { fields: { cursor: "2", lastSuccess: "7" }, retries: [retry("evt_1", 10)] })).toBe(true);
    await store.release(subscriber, "a");
    await store.lease(subscriber, "b", long);
    const changes = { fields: { cursor: "0" }, finished: ["evt_1"], retries: [retry("evt_2", 1)], replays: [{ id: "r1", content: "" }] };
    expect(await store.commit(subscriber, "a", changes)).toBe(false);
    expect(await store.fields(subscriber)).toEqual({ cursor: "2", lastSuccess: "7" });
    expect(await store.due(subscriber, 10, 10)).toEqual([retry("evt_1", 10)]);
    expect(await store.replays(subscriber)).toEqual([{ id: "r1", content: "x" }]);
  });
});

describe("the progress of deliveries", () => {
  beforeEach(async () => {
    await store.lease(subscriber, "a", long);
  });

  it("contains one retry for each event, and returns those that are due, earliest first", async () => {
    const retries = [retry("evt_1", 30), retry("evt_2", 10), retry("evt_3", 20)];
    await store.commit(subscriber, "a", { retries });
    await store.commit(subscriber, "a", { retries: [retry("evt_2", 15)], finished: ["evt_3"] });
    expect(await store.due(subscriber, 29, 10)).toEqual([retry("evt_2", 15)]);
    expect(await store.pending(subscriber)).toEqual({ count: 2, nextMs: 15 });
    await store.bringForward(subscriber, 20);
    expect(await store.due(subscriber, 20, 10)).toEqual([retry("evt_2", 15), retry("evt_1", 20)]);
  });

  it("has at most the maximum of replays, and adding one twice adds one", async () => {
    for (const id of ["r1", "r2", "r2"]) expect(await store.addReplay(subscriber, { id, content: "x" }, 2)).toBe(true);
    expect(await store.addReplay(subscriber, { id: "r3", content: "x" }, 2)).toBe(false);
    const replays = [
      { id: "r1", content: "" },
      { id: "r2", content: "y" },
      { id: "r9", content: "never asked for" },
    ];
    await store.commit(subscriber, "a", { replays });
    expect(await store.replays(subscriber)).toEqual([{ id: "r2", content: "y" }]);
  });

  it("has no more replays than the maximum however many are added at once", async () => {
    const ids = Array.from({ length: 40 }, (_, index) => `r${index}`);
    const other = await redis.connect();
    const stores = [store, createDeliveryStore(other, createKeys(redis.keyPrefix))];
    const add = async (id: string, index: number) =>
      await (stores[index % 2] as DeliveryStore).addReplay(subscriber, { id, content: "x" }, 5);
    expect((await Promise.all(ids.map(add))).filter(Boolean)).toHaveLength(5);
    other.disconnect();
  });

  it("is deleted with the subscriber, and not recreated by a deliverer", async () => {
    await store.commit(subscriber, "a", { fields: { cursor: "1" }, retries: [retry("evt_1", 1)] });
    await store.remove(subscriber);
    expect(await store.commit(subscriber, "a", { fields: { cursor: "2" } })).toBe(false);
    expect([await store.fields(subscriber), await store.pending(subscriber)]).toEqual([{}, { count: 0, nextMs: undefined }]);
  });
});

it("an event with a name is recorded once in its region, however many gateways notice it", async () => {
  const feed = createEventStream(connection, createKeys(redis.keyPrefix), testSiteIds);
  const event = create(EventSchema, { eventId: "evt_83652b_1", participantId: "par_a" });
  const recorded = await Promise.all(["x", "x", "y"].map((name) => feed.appendOnce("83652b", name, event)));
  expect(recorded.filter((isNew) => isNew).length).toBe(2);
  expect((await feed.readAfter("83652b", firstEntry, 10)).length).toBe(2);
});
