import {
  createRandom,
  openRedisLink,
  startTestReplica,
  startTestServer,
  type TestReplica,
  type TestServer,
  testSeed,
} from "@petak/testkit";
import { Redis } from "ioredis";
import { beforeEach, describe, expect, it } from "vitest";
import { connectRedis, type RedisConnection } from "../connection/connect-redis.ts";
import { recordCommands } from "../connection/record-commands.ts";
import { createKeys } from "../keys.ts";
import { type EndedCommand, inTrace } from "../tracing/call-trace.ts";
import { type Acknowledgements, createAcknowledgements } from "./acknowledgements.ts";
import type { ReplicationLevel } from "./replica-gate.ts";

const keys = createKeys("acks");
const level: ReplicationLevel = { replicas: 1, on: "memory", withinMs: 300 };
/** For what must be acknowledged, however busy the machine is. */
const patient: ReplicationLevel = { ...level, withinMs: 60_000 };
const region = "836520";
const key = keys.deadlines(region);

const soon = { interval: 1 };

let master: TestServer;
let replica: TestReplica;
let undo: (() => void | Promise<void>)[];

beforeEach(async () => {
  master = await startTestServer({ hasReplicas: true });
  replica = await startTestReplica(master);
  undo = [() => master.stop(), () => replica.stop()];
  return async () => {
    for (const step of undo.toReversed()) await step();
  };
});

async function open(address: { url: string } | { socketPath: string }, asked: ReplicationLevel = level): Promise<Acknowledgements> {
  const connection: RedisConnection = connectRedis(address, { onError: () => undefined });
  await connection.connect();
  const acknowledgements = createAcknowledgements({ connection, keys, level: asked, onError: () => undefined });
  undo.push(() => {
    acknowledgements.stop();
    connection.disconnect();
  });
  return acknowledgements;
}

const overSocket = () => ({ socketPath: master.options.path });

async function ready(acknowledgements: Acknowledgements): Promise<Acknowledgements> {
  expect(await acknowledgements.ready(60_000)).toBe(true);
  return acknowledgements;
}

async function onReplica(): Promise<string | null> {
  const redis = new Redis(replica.options);
  try {
    return await redis.get(key);
  } finally {
    redis.disconnect();
  }
}

const change = ({ connection, acknowledge }: Acknowledgements, value: string) => acknowledge(() => connection.set(key, value));

describe("work that must be replicated", () => {
  it.each(["memory", "disk"] as const)("is acknowledged when the replicas have it (%s)", async (on) => {
    const acknowledgements = await ready(await open(overSocket(), { ...patient, on }));
    for (const value of on === "memory" ? ["one", "two", "three"] : ["one"]) {
      await change(acknowledgements, value);
      expect(await onReplica()).toBe(value);
    }
  });

  it("is acknowledged and recorded, where a connection records the commands of a call", async () => {
    const connection = connectRedis(overSocket(), { onError: () => undefined });
    recordCommands(connection);
    await connection.connect();
    const acknowledgements = createAcknowledgements({ connection, keys, level: patient, onError: () => undefined });
    undo.push(() => {
      acknowledgements.stop();
      connection.disconnect();
    });
    const operations: string[] = [];
    const trace = { traceparent: "", recordCommand: ({ operation }: EndedCommand) => void operations.push(operation) };
    await ready(acknowledgements);
    await inTrace(trace, () => change(acknowledgements, "recorded"));
    expect(operations).toEqual(["SET"]);
    expect(await onReplica()).toBe("recorded");
  });

  it("is not acknowledged before it is replicated, and a repetition that only reads it is acknowledged afterwards", async () => {
    const acknowledgements = await ready(await open(overSocket()));
    replica.freeze();
    await expect(change(acknowledgements, "late")).rejects.toMatchObject({ reason: "DURABILITY_UNCONFIRMED", retryAfterMs: 1000 });
    replica.thaw();
    await ready(acknowledgements);
    const read = () => acknowledgements.acknowledge(() => acknowledgements.connection.get(key));
    await expect.poll(read).toBe("late");
    expect(await onReplica()).toBe("late");
  });

  it("is not acknowledged to a duplicate that read it over another connection either", async () => {
    const [writes, reads] = [await ready(await open(overSocket())), await ready(await open(overSocket()))];
    replica.freeze();
    const both = [change(writes, "twice"), reads.acknowledge(() => reads.connection.get(key))];
    await Promise.all(both.map((one) => expect(one).rejects.toMatchObject({ reason: "DURABILITY_UNCONFIRMED" })));
  });

  it("is rejected at once, and not started, while there are too few replicas", async () => {
    const acknowledgements = await ready(await open(overSocket()));
    replica.freeze();
    await expect(change(acknowledgements, "first")).rejects.toMatchObject({ reason: "DURABILITY_UNCONFIRMED" });
    const refused = await Promise.allSettled(Array.from({ length: 200 }, (_, index) => change(acknowledgements, `refused ${index}`)));
    // Who had waited would be unconfirmed.
    expect(refused.every((one) => one.status === "rejected" && (one.reason as { reason: string }).reason === "REPLICAS_UNAVAILABLE")).toBe(
      true,
    );
    expect(await acknowledgements.connection.get(key)).toBe("first");
  });

  it("does not wait if it uses no server, and does not delay reads outside of any work", async () => {
    const acknowledgements = await ready(await open(overSocket()));
    replica.freeze();
    const writing = change(acknowledgements, "beside");
    expect(await acknowledgements.acknowledge(async () => "nothing")).toBe("nothing");
    expect(await acknowledgements.connection.get(key)).toBe("beside");
    await expect(writing).rejects.toMatchObject({ reason: "DURABILITY_UNCONFIRMED" });
  });

  it("still reads while there are too few replicas, because reads may be shared, but is not acknowledged", async () => {
    const acknowledgements = await ready(await open(overSocket()));
    replica.freeze();
    await expect(change(acknowledgements, "unsafe")).rejects.toMatchObject({ reason: "DURABILITY_UNCONFIRMED" });
    let found: string | null = null;
    const reading = acknowledgements.acknowledge(async () => {
      found = await acknowledgements.connection.get(key);
    });
    await expect(reading).rejects.toMatchObject({ reason: "DURABILITY_UNCONFIRMED" });
    expect(found).toBe("unsafe");
  });

  it("leaves other members of the connection unchanged", async () => {
    const { connection, acknowledge } = await ready(await open(overSocket()));
    await acknowledge(async () => {
      expect(connection.listenerCount(key)).toBe(0);
      expect(connection.status).toBe("ready");
    });
  });

  it("rejects with its own error", async () => {
    const acknowledgements = await ready(await open(overSocket()));
    await expect(acknowledgements.acknowledge(() => Promise.reject(new Error("its own")))).rejects.toThrow("its own");
  });

  it("shares one round of WAIT among all callers waiting", async () => {
    const acknowledgements = await ready(await open(overSocket(), patient));
    const redis = new Redis(master.options);
    undo.push(() => redis.disconnect());
    const waits = async () => Number(/cmdstat_wait:calls=(\d+)/.exec(await redis.info("commandstats"))?.[1] ?? 0);
    const before = await waits();
    await Promise.all(Array.from({ length: 500 }, (_, index) => change(acknowledgements, String(index))));
    expect((await waits()) - before).toBeLessThan(100);
  });
});

describe("an address that is moved to a replica", () => {
  it("does not acknowledge writes that the replica lacks, whenever it is moved", async () => {
    const random = createRandom(testSeed());
    const link = await openRedisLink({ path: master.options.path });
    undo.push(() => link.stop());
    const acknowledgements = await ready(await open({ url: link.url }));
    // The replica is promoted while clients still write to the old master: every later write to that is lost.
    const acknowledged: string[] = [];
    let isOver = false;
    const writers = Array.from({ length: 8 }, async (_, writer) => {
      for (let number = 0; !isOver; number++) {
        const field = `${writer}:${number}`;
        await acknowledgements
          .acknowledge(() => acknowledgements.connection.hset(keys.siteCounts(region, "886520d959fffff"), field, "1"))
          .then(
            () => acknowledged.push(field),
            () => new Promise((resolve) => setImmediate(resolve)),
          );
      }
    });
    await expect.poll(() => acknowledged.length, soon).toBeGreaterThan(random.int(50, 500));
    await replica.promote();
    link.moveTo({ path: replica.options.path });
    // The promoted server needs a replica of its own before writes are acknowledged again.
    const next = await startTestReplica(replica);
    undo.push(() => next.stop());
    await ready(acknowledgements);
    const before = acknowledged.length;
    await expect.poll(() => acknowledged.length, soon).toBeGreaterThan(before + 50);
    isOver = true;
    await Promise.all(writers);
    const redis = new Redis(replica.options);
    undo.push(() => redis.disconnect());
    const kept = new Set(await redis.hkeys(keys.siteCounts(region, "886520d959fffff")));
    expect(acknowledged.filter((field) => !kept.has(field))).toEqual([]);
  });
});
