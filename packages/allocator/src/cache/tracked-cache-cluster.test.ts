import { setTimeout as pause } from "node:timers/promises";
import type { ClusterConnection } from "@petak/redis";
import { connectRedis, type RedisConnection } from "@petak/redis";
import { onThisMachine, startTestCluster, type TestCluster, type TestClusterNode } from "@petak/testkit";
import { Redis } from "ioredis";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createTrackedCache, type TrackedCache } from "./tracked-cache.ts";

/** Greatest age of a cached value, plus time to check it. */
const oldestMs = 900;
const onError = () => undefined;

let cluster: TestCluster;
let writer: ClusterConnection;
/** Another gateway's connection, whose writes reach the cache by invalidations only. */
let other: ClusterConnection;
let cache: TrackedCache;
let prefix: string;
let tests = 0;
/** Two keys at each master: one that exists and one that does not. */
let full: string[];
let empty: string[];

beforeAll(async () => {
  cluster = await startTestCluster();
});
afterAll(() => cluster.stop());

beforeEach(async () => {
  await cluster.whole();
  [writer, other] = [connect(), connect()];
  await Promise.all([writer.connect(), other.connect()]);
  prefix = `t${++tests}`;
  const tags = cluster.nodes.map(tagAt);
  [full, empty] = [tags.map((tag) => `${tag}:full`), tags.map((tag) => `${tag}:empty`)];
  await Promise.all(full.map((key) => other.set(key, "old")));
  cache = createTrackedCache({ writer, onError });
  await expect.poll(() => cache.isReliable).toBe(true);
  return () => {
    cache.stop();
    for (const connection of [writer, other]) connection.disconnect();
  };
});

const connect = () => connectRedis(cluster.address, { onError, commandTimeoutMs: 1000 }) as ClusterConnection;

function tagAt({ port }: TestClusterNode): string {
  for (let number = 0; ; number++) {
    const tag = `{${prefix}-${number}}`;
    if (writer.masterOf(tag)?.options.port === port) return tag;
  }
}

/** How long a master may be silent before the others refuse to work without it. */
async function setNodeTimeout(ms: number): Promise<void> {
  for (const { port } of cluster.nodes) {
    const node = new Redis({ port, host: "127.0.0.1" });
    await node.config("SET", "cluster-node-timeout", ms);
    node.disconnect();
  }
}

const mget = (connection: RedisConnection, keys: readonly string[]) => connection.mget([...keys]);
const fetched = (keys: readonly string[]) => cache.fetch(keys, mget);
function known(keys: readonly string[]): unknown[] {
  cache.check();
  return keys.map((key) => cache.peek(key));
}
/** What is known of the keys after a read, where their masters track them. */
async function kept(keys: readonly string[]): Promise<unknown[]> {
  await fetched(keys).catch(onError);
  return known(keys);
}
/** Waits until the keys are read from masters that track them. */
const isKept = (keys: readonly string[]) => expect.poll(() => kept(keys)).not.toContain(undefined);
/** The same, until what is known are their values: a change is acknowledged before the cache has heard of it. */
const becomes = (keys: readonly string[], values: readonly unknown[]) => expect.poll(() => kept(keys)).toEqual(values);

/**
 * Runs `act` on the cluster, and reads all keys repeatedly until it has ended and a while longer. Expects no value, cached or read, that was
 * replaced more than {@link oldestMs} ago.
 */
async function neverStale(keys: readonly string[], act: (change: (key: string, value: string) => Promise<void>) => Promise<void>) {
  /** For each key: its former values, and the time at which each was replaced. */
  const gone = new Map<string, Map<string | null, number>>(keys.map((key) => [key, new Map()]));
  const now = new Map<string, string | null>();
  for (const key of keys) now.set(key, await other.get(key));
  const judge = (key: string, value: unknown, atMs: number, how: string) => {
    const goneMs = gone.get(key)?.get(value as string | null);
    const ageMs = goneMs === undefined ? 0 : Math.round(atMs - goneMs);
    expect(ageMs, `${how} of ${key} says ${String(value)}, which it held ${ageMs} ms ago`).toBeLessThan(onThisMachine(oldestMs, ageMs));
  };
  let isOver = false;
  let looks = 0;
  async function look(): Promise<void> {
    while (!isOver) {
      const beganMs = performance.now();
      const values = known(keys);
      for (const [index, key] of keys.entries()) if (values[index] !== undefined) judge(key, values[index], performance.now(), "memory");
      looks += 1;
      // The start of a read decides which values are allowed.
      await Promise.all(keys.map((key) => fetched([key]).then(([value]) => judge(key, value, beganMs, "a read"), onError)));
      await pause(5);
    }
  }
  const looking = look();
  try {
    await act(async (key, value) => {
      await expect
        .poll(() =>
          other.set(key, value).then(
            () => true,
            () => false,
          ),
        )
        .toBe(true);
      const history = gone.get(key) as Map<string | null, number>;
      history.set(now.get(key) ?? null, performance.now());
      now.set(key, value);
    });
    await pause(oldestMs + 100);
    await expect.poll(() => looks).toBeGreaterThan(10);
  } finally {
    isOver = true;
    await looking;
  }
  expect(looks).toBeGreaterThan(10);
}

describe("the cache over a cluster", () => {
  it("caches values of every master, and is notified of each change", async () => {
    const keys = [...full, ...empty];
    expect(await fetched(keys)).toEqual([...full.map(() => "old"), ...empty.map(() => null)]);
    await becomes(keys, [...full.map(() => "old"), ...empty.map(() => null)]);
    await Promise.all(keys.map((key) => other.set(key, "new")));
    await expect.poll(() => known(keys)).toEqual(keys.map(() => undefined));
    expect(await fetched(keys)).toEqual(keys.map(() => "new"));
  });

  it("returns no outdated value while a slot is moved to another master and back, for existing and missing keys", async () => {
    const [there = ""] = full;
    const [missing = ""] = empty;
    const [from, to] = cluster.nodes as [TestClusterNode, TestClusterNode];
    await isKept([there, missing]);
    await neverStale([there, missing], async (change) => {
      await cluster.moveSlot(there, from, to);
      await change(missing, "made there");
      await change(there, "new");
      await becomes([there, missing], ["new", "made there"]);
      await change(there, "newer");
      await cluster.moveSlot(there, to, from);
      await change(missing, "changed here");
      await isKept([there, missing]);
    });
    await becomes([there, missing], ["newer", "changed here"]);
  });

  it("returns no outdated value of a key that is created at the new master during the move", async () => {
    const [there = "", staying = ""] = full;
    const [missing = ""] = empty;
    const [from, to] = cluster.nodes as [TestClusterNode, TestClusterNode];
    await isKept([there, missing, staying]);
    const [source, target] = [from, to].map(({ port }) => new Redis({ port, host: "127.0.0.1" })) as [Redis, Redis];
    try {
      const slot = writer.slotOf(missing);
      await target.cluster("SETSLOT", slot, "IMPORTING", String(await source.cluster("MYID")));
      await source.cluster("SETSLOT", slot, "MIGRATING", String(await target.cluster("MYID")));
      await neverStale([there, missing], async (change) => {
        await change(missing, "made there");
        await change(there, "new");
        await expect.poll(() => known([missing])).toEqual([undefined]);
        expect(await fetched([missing])).toEqual(["made there"]);
        // No server would report a change now.
        expect(known([missing])).toEqual([undefined]);
        // Slots that are not moved stay tracked.
        await expect.poll(() => known([staying])).toEqual(["old"]);
      });
      await target.call("ASKING");
      await target.del(missing);
      for (const node of [target, source]) await node.cluster("SETSLOT", slot, "STABLE");
    } finally {
      for (const node of [source, target]) node.disconnect();
    }
    await isKept([there]);
  });

  it("returns no outdated value of a master that is suspended, and keeps relying on the others", async () => {
    const keys = [...full, ...empty];
    const [stopped = "", ...others] = full;
    const [node] = cluster.nodes as [TestClusterNode];
    await isKept(keys);
    await setNodeTimeout(60_000);
    process.kill(node.pid, "SIGSTOP");
    try {
      await expect.poll(() => known([stopped])).toEqual([undefined]);
      await expect.poll(() => known(others)).not.toContain(undefined);
    } finally {
      process.kill(node.pid, "SIGCONT");
      await setNodeTimeout(1000);
    }
    await neverStale(keys, async (change) => {
      for (const key of keys) await change(key, "new");
    });
    await becomes(
      keys,
      keys.map(() => "new"),
    );
  });

  it("discards all values of a master that was killed, and tracks it again when it is back", async () => {
    const keys = [...full, ...empty];
    const [lost = ""] = full;
    const [node] = cluster.nodes as [TestClusterNode];
    await isKept(keys);
    await neverStale(keys, async (change) => {
      await node.kill9();
      await expect.poll(() => known([lost])).toEqual([undefined]);
      await node.restart();
      await cluster.whole();
      for (const key of keys) await change(key, "new");
    });
    await becomes(
      keys,
      keys.map(() => "new"),
    );
    await other.set(lost, "newer");
    await expect.poll(() => known([lost])).toEqual([undefined]);
    await expect.poll(() => cache.isReliable).toBe(true);
  });
});
