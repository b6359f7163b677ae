import { createScript } from "@petak/records/testing";
import { installedFlavours, onThisMachine, startTestCluster, type TestCluster, type TestClusterNode } from "@petak/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { RedisFlavour } from "../server/index.ts";

import type { ClusterConnection } from "./cluster-connection.ts";
import { connectRedis, pingAll } from "./connect-redis.ts";
import type { ClusterAddress } from "./redis-address.ts";
import { isStoreFailure } from "./store-failure.ts";

/** For servers that answer: no test waits for it. */
const patientMs = 10_000;
/** For a server that does not. */
const shortMs = 400;
/** Upper bound of "at once", in ms: much less than any timeout, much more than a reply takes. */
const atOnceMs = 200;
const replaceRef = createScript("replace-ref");

// Valkey if installed: the other cluster tests use Redis then.
const flavour = (await installedFlavours()).at(-1) as RedisFlavour;

describe("a connection to a cluster", () => {
  let cluster: TestCluster;
  let connection: ClusterConnection;
  /** A key for each of the masters. */
  let keys: string[];

  beforeAll(async () => {
    cluster = await startTestCluster({ flavour });
  });
  afterAll(() => cluster.stop());
  beforeEach(async () => {
    await cluster.whole();
    await open(patientMs);
    keys = cluster.nodes.map(keyAt);
  });
  afterEach(() => connection.disconnect());

  async function open(commandTimeoutMs: number): Promise<void> {
    connection = connectRedis(cluster.address, { onError: () => undefined, commandTimeoutMs }) as ClusterConnection;
    await connection.connect();
  }

  function keyAt({ port }: TestClusterNode): string {
    for (let number = 0; ; number++) if (connection.masterOf(`petak:{${number}}`)?.options.port === port) return `petak:{${number}}`;
  }

  async function failure(work: () => Promise<unknown>): Promise<{ isStore: boolean; tookMs: number } | undefined> {
    const startMs = performance.now();
    try {
      await work();
      return undefined;
    } catch (error) {
      return { isStore: isStoreFailure(error), tookMs: performance.now() - startMs };
    }
  }

  test("sends each command to the master of its key, many at once", async () => {
    await Promise.all(Array.from({ length: 300 }, (_, number) => connection.set(`${keys[number % 3]}:${number}`, number)));
    const values = await Promise.all(Array.from({ length: 300 }, (_, number) => connection.get(`${keys[number % 3]}:${number}`)));
    expect(values).toEqual(Array.from({ length: 300 }, (_, number) => String(number)));
    const sizes = await Promise.all(connection.nodes("master").map((node) => node.dbsize()));
    expect(sizes.every((size) => size >= 100)).toBe(true);
  });

  test("rejects connect and every command if it is closed while connecting, at any point", async () => {
    for (let turns = 0; turns < 60; turns++) {
      const closed = connectRedis(cluster.address, { onError: () => undefined, commandTimeoutMs: patientMs });
      const failureOf = (work: Promise<unknown>) =>
        work.then(
          () => "none",
          (error: Error) => error.message,
        );
      const connecting = failureOf(closed.connect());
      const before = failureOf(closed.get("petak:{0}"));
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => void setImmediate(resolve));
      closed.disconnect();
      const behind = failureOf(closed.get("petak:{0}"));
      await Promise.all([connecting, before]);
      expect(await behind).not.toBe("none");
      expect(await failureOf(closed.get("petak:{0}"))).toMatch(/^Connection is closed|^Cluster isn't ready/);
    }
  });

  test("runs a script at every master, also after SCRIPT FLUSH", async () => {
    for (const round of [1, 2]) {
      await Promise.all(connection.nodes("master").map((node) => node.script("FLUSH")));
      await Promise.all(keys.map((key) => connection.hset(`${key}:refs`, "ref", round)));
      const replies = await Promise.all(keys.map((key) => replaceRef(connection, [`${key}:refs`], ["ref", round, "new"])));
      expect(replies).toEqual(Array(3).fill(["replaced"]));
    }
  });

  test("fails at once while a master is unreachable, executes no command twice, and recovers when the master is back", async () => {
    const [key = ""] = keys;
    const [node] = cluster.nodes as [TestClusterNode];
    const counted = Array.from({ length: 50 }, () =>
      connection.incr(`${key}:count`).then(
        () => 1,
        () => 0,
      ),
    );
    await node.kill9();
    const acknowledged = (await Promise.all<number>(counted)).reduce((sum, one) => sum + one, 0);
    for (let call = 0; call < 20; call++) {
      const failed = await failure(() => connection.get(key));
      expect(failed?.isStore).toBe(true);
      expect(failed?.tookMs).toBeLessThan(onThisMachine(atOnceMs));
    }
    expect((await failure(() => pingAll(connection)))?.isStore).toBe(true);
    await node.restart();
    await expect.poll(() => failure(() => connection.set(key, "back"))).toBeUndefined();
    const count = Number(await connection.get(`${key}:count`));
    expect(count).toBeGreaterThanOrEqual(acknowledged);
    expect(count).toBeLessThanOrEqual(50);
    await expect.poll(() => failure(() => pingAll(connection))).toBeUndefined();
  });

  test("emits ready again when a master has been reconnected", async () => {
    let times = 0;
    connection.on("ready", () => times++);
    const [node] = cluster.nodes as [TestClusterNode];
    await node.kill9();
    await node.restart();
    await expect.poll(() => times).toBeGreaterThan(0);
  });

  test("drops the connection to an unresponsive master only", async () => {
    const [key = "", other = ""] = keys;
    const [node] = cluster.nodes as [TestClusterNode];
    connection.disconnect();
    await open(shortMs);
    const otherMaster = connection.masterOf(other);
    process.kill(node.pid, "SIGSTOP");
    try {
      const first = await failure(() => connection.get(key));
      expect(first?.isStore).toBe(true);
      expect(first?.tookMs).toBeLessThan(onThisMachine(shortMs + atOnceMs));
      await expect
        .poll(async () => (await failure(() => connection.get(key)))?.tookMs ?? shortMs)
        .toBeLessThan(onThisMachine(atOnceMs / 4));
      expect(otherMaster?.status).toBe("ready");
    } finally {
      process.kill(node.pid, "SIGCONT");
    }
    await expect.poll(() => failure(() => connection.set(key, "back"))).toBeUndefined();
  });

  test("reports why no server can be reached, and connects once the servers are back", async () => {
    await Promise.all(cluster.nodes.map((node) => node.kill9()));
    const later = connectRedis(cluster.address, { onError: () => undefined, commandTimeoutMs: patientMs });
    await expect(later.connect()).rejects.toThrow("ECONNREFUSED");
    expect((await failure(() => later.get("key")))?.isStore).toBe(true);
    await Promise.all(cluster.nodes.map((node) => node.restart()));
    await expect.poll(() => failure(() => later.get("key"))).toBeUndefined();
    later.disconnect();
    const wrong = connectRedis({ ...cluster.address, username: "nobody", password: "wrong" } as ClusterAddress, {
      onError: () => undefined,
    });
    await expect(wrong.connect()).rejects.toThrow("WRONGPASS");
    wrong.disconnect();
  });

  test("follows a slot that is moved to another master", async () => {
    const [key = ""] = keys;
    const [from, to] = cluster.nodes as [TestClusterNode, TestClusterNode];
    await connection.set(key, "parcel");
    await cluster.moveSlot(key, from, to);
    await expect.poll(() => connection.get(key).catch(isStoreFailure)).toBe("parcel");
    await expect.poll(() => connection.masterOf(key)?.options.port).toBe(to.port);
    await cluster.moveSlot(key, to, from);
  });
});
