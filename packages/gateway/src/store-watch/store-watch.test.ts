import { once } from "node:events";
import { PetakError } from "@petak/protocol";
import { connectRedis, createKeys, type RedisAddress, type RedisConnection, redisAddressText } from "@petak/redis";
import {
  fillDisk,
  freeDisk,
  openRedisLink,
  searchPathForFullDisk,
  searchPathForSlowStart,
  startTestCluster,
  startTestServer,
  type TestServer,
  tempDir,
} from "@petak/testkit";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createLogger, createMetrics, type Metrics } from "../observability/index.ts";
import { remindMs } from "./outage.ts";
import { type StoreWatch, watchStore } from "./store-watch.ts";

interface Line {
  level: number;
  msg: string;
  redis?: string;
  servers?: string[];
  reason?: string;
  since?: string;
  outage_ms?: number;
  err?: unknown;
}

const soon = { interval: 20 };
const [info, warn, error] = [30, 40, 50];

let server: TestServer;
let address: RedisAddress;
let lines: Line[];
let metrics: Metrics;
let redis: RedisConnection;
/** A separate connection, not watched. */
let tool: Redis;
let watch: StoreWatch;
/** The watch's clock, in ms. Only the test advances it. */
let nowMs: number;
/** Messages of the connection's errors. */
let failures: string[];
let hasEnoughReplicas: boolean;

beforeEach(async () => {
  server = await startTestServer({ searchPath: await searchPathForFullDisk(await tempDir()) });
  tool = new Redis(server.options);
  tool.on("error", () => undefined);
  await begin({ socketPath: server.options.path });
});
afterEach(async () => {
  watch.stop();
  redis.disconnect();
  tool.disconnect();
  await server.stop();
});

async function begin(at: RedisAddress): Promise<void> {
  address = at;
  lines = [];
  failures = [];
  nowMs = Date.now();
  hasEnoughReplicas = true;
  metrics = createMetrics({ processMetrics: false });
  const logger = createLogger({ destination: { write: (line: string) => void lines.push(JSON.parse(line) as Line) } });
  const onError = (failure: Error) => {
    failures.push(failure.message);
    watch.connectionFailed(failure);
  };
  redis = connectRedis(at, { onError });
  watch = watchStore({
    redis,
    keys: createKeys("petak"),
    address: redisAddressText(at),
    logger,
    metrics,
    hasEnoughReplicas: () => hasEnoughReplicas,
    now: () => nowMs,
  });
  await redis.connect();
}

/** Sends a command for each of 20 parts of a gateway and logs those that fail. */
async function work(): Promise<void> {
  const parts = Array.from({ length: 20 }, (_, index) => `part ${index}`);
  await Promise.all(parts.map((part) => redis.incr("petak:any").catch((failure: unknown) => watch.logFailure(part, failure))));
}

/** Works until the log has `count` lines. @param passingMs advances the clock before each check; less than the real time between two */
async function untilLogged(count: number, passingMs = 0): Promise<void> {
  await expect
    .poll(async () => {
      nowMs += passingMs;
      await work();
      return lines.length;
    }, soon)
    .toBe(count);
}

/** Waits until the watch has found Redis unreachable and the connection has reported the cause, then advances the clock until the outage is logged. */
async function untilUnreachable(why: RegExp): Promise<void> {
  await expect
    .poll(async () => {
      await work();
      return (await up()) === 0 && failures.some((failure) => why.test(failure));
    }, soon)
    .toBe(true);
  nowMs += 500;
}

/** Waits until Redis responds to the watch again, then advances the clock until the end of the outage is logged. */
async function untilReachable(): Promise<void> {
  await expect.poll(up, soon).toBe(1);
  nowMs += 1000;
}

/** Waits until Redis accepts writes again, then advances the clock until the end of the outage is logged. */
async function untilAccepted(): Promise<void> {
  await expect.poll(() => watch.acceptsWrites, soon).toBe(true);
  nowMs += 3000;
}

async function up(): Promise<number | undefined> {
  return (await metrics.redisUp.get()).values[0]?.value;
}

/** Why writes are rejected, by the metric. */
async function rejectedFor(): Promise<unknown[]> {
  const { values } = await metrics.redisRejectsWrites.get();
  return values.flatMap(({ value, labels }) => (value === 1 ? [labels.reason] : []));
}

describe("an unreachable Redis", () => {
  it("is logged once at the start, once a minute during the outage and once at the end, for all parts together", async () => {
    expect(await up()).toBe(1);
    await server.kill9();
    await untilUnreachable(/ECONNREFUSED|ENOENT/);
    await untilLogged(1);
    expect(lines[0]).toMatchObject({
      level: error,
      redis: `unix://${server.options.path}`,
      reason: expect.stringMatching(/^connect (ECONNREFUSED|ENOENT) /),
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(lines[0]?.msg).toBe(
      "Redis is unreachable: nothing listens at its address; start it. Calls that need it get STORE_UNAVAILABLE; the gateway reconnects automatically",
    );
    expect(await up()).toBe(0);
    await expect(watch.requireAnswers()).rejects.toThrow(`${server.options.path} does not respond`);

    nowMs += remindMs;
    await untilLogged(2);
    expect(lines[1]).toMatchObject({ level: error, since: lines[0]?.since });
    expect(lines[1]?.msg).toBe("Redis is still unreachable: nothing listens at its address; start it");

    await server.restart();
    await untilReachable();
    await untilLogged(3);
    expect(lines[2]).toMatchObject({ level: info, redis: `unix://${server.options.path}` });
    expect(lines[2]?.outage_ms).toBeGreaterThanOrEqual(remindMs);
    expect(lines[2]?.msg).toBe("Redis is reachable again after 60.5 s");
    expect(await up()).toBe(1);
    await watch.requireAnswers();
    expect(lines.filter((line) => "err" in line || JSON.stringify(line).includes("    at "))).toEqual([]);
  });

  it("is logged as hanging if it accepts connections and does not respond", async () => {
    process.kill(server.pid, "SIGSTOP");
    try {
      await untilLogged(1);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    expect(lines[0]?.msg).toMatch(/^Redis is unreachable: it accepts connections but does not respond; it hangs, or waits for its disk\. /);
    await untilReachable();
    await untilLogged(2);
    expect(lines[1]?.msg).toMatch(/^Redis is reachable again after \d+\.\d s$/);
    // The outage began two seconds before the time-out revealed it.
    expect(lines[1]?.outage_ms).toBeGreaterThanOrEqual(2000);
  });

  it("is logged in one line if it was short", async () => {
    const lost = once(redis, "close");
    await tool.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await lost;
    await once(redis, "ready");
    nowMs += 60;
    await untilReachable();
    await untilLogged(1);
    expect(lines[0]).toMatchObject({ level: warn, outage_ms: expect.any(Number) });
    expect(lines[0]?.msg).toMatch(/^Redis was unreachable for 0\.\d\d s: /);
  });

  it("is logged with rejected credentials as its cause after the password was changed", async () => {
    await tool.config("SET", "requirepass", "another");
    await tool.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await untilUnreachable(/^(NOAUTH|WRONGPASS) /);
    await untilLogged(1);
    expect(lines[0]?.msg).toMatch(/^Redis is unreachable: it rejects the user or the password in redisUrl\. /);
    await tool.config("SET", "requirepass", "");
    await untilReachable();
    await untilLogged(2);
  });

  it("is logged as loading its data while it does", async () => {
    await using slow = await startTestServer({ searchPath: await searchPathForSlowStart(await tempDir(), 300) });
    watch.stop();
    redis.disconnect();
    await begin({ socketPath: slow.options.path });
    await Promise.all(Array.from({ length: 10_000 }, (_, number) => redis.set(`petak:${number}`, "1")));
    await slow.kill9();
    await untilUnreachable(/ECONNREFUSED|ENOENT/);
    await untilLogged(1);
    const back = slow.restart();
    await expect.poll(() => redis.status, soon).toBe("connect");
    // It loads for three seconds, and is logged so after one.
    await expect
      .poll(() => {
        nowMs += remindMs;
        return lines.at(-1)?.msg;
      }, soon)
      .toBe("Redis is still unreachable: it has started and is loading its data; it responds once that is done");
    await back;
    redis.disconnect();
  });
});

describe("a Redis that rejects writes", () => {
  it("because its disk is full is logged once with the remedy, and once when it accepts them again", async () => {
    await fillDisk(server, 0);
    await untilLogged(1);
    expect(lines[0]).toMatchObject({ level: error, reason: expect.stringMatching(/^MISCONF /) });
    expect(lines[0]?.msg).toBe(
      "Redis rejects writes: it cannot write to its disk; free space or repair the disk, and it recovers by itself. Changes get STORE_UNAVAILABLE; searches and other reads work",
    );
    expect([await up(), await rejectedFor(), watch.acceptsWrites]).toEqual([1, ["disk"], false]);
    await watch.requireAnswers();
    nowMs += remindMs;
    await untilLogged(2);
    expect(lines[1]?.msg).toMatch(/^Redis still rejects writes: it cannot write to its disk; /);
    await freeDisk(server);
    await untilAccepted();
    await untilLogged(3);
    expect(lines[2]?.msg).toBe("Redis accepts writes again after 60.0 s");
    expect([await rejectedFor(), watch.acceptsWrites]).toEqual([[], true]);
  });

  it("because its memory is full is logged so, also if no more writes are sent", async () => {
    await tool.config("SET", "maxmemory", "1");
    await work();
    expect(lines).toHaveLength(1);
    expect(lines[0]?.msg).toMatch(/^Redis rejects writes: its memory has reached maxmemory; raise that /);
    expect(await rejectedFor()).toEqual(["memory"]);
    await tool.config("SET", "maxmemory", "0");
    await untilAccepted();
    await expect.poll(() => lines.length, soon).toBe(2);
    expect(lines[1]?.msg).toMatch(/^Redis accepts writes again after \d/);
  });

  it("because it was made a replica is logged so", async () => {
    await tool.replicaof("127.0.0.1", 1);
    await untilLogged(1);
    expect(lines[0]?.msg).toMatch(/^Redis rejects writes: it is a replica; set redisUrl to the master\. /);
    expect(await rejectedFor()).toEqual(["read_only"]);
    await tool.replicaof("NO", "ONE");
    await untilAccepted();
    await untilLogged(2);
  });

  it("because it was made a replica is logged as unreachable only if it does not respond soon: the gateway leaves it on purpose", async () => {
    await tool.replicaof("127.0.0.1", 1);
    await untilLogged(1);
    await server.kill9();
    await untilUnreachable(/ECONNREFUSED|ENOENT/);
    nowMs += 2000;
    const checks = vi.spyOn(redis, "ping");
    await expect.poll(() => checks.mock.calls.length, soon).toBeGreaterThan(2);
    expect(lines).toHaveLength(1);
    nowMs += 1000;
    await untilLogged(2);
    expect(lines[1]?.msg).toMatch(/^Redis is unreachable: nothing listens at its address/);
  });

  it("because too few replicas are connected is logged once they are missing for longer than a reconnection takes", async () => {
    hasEnoughReplicas = false;
    await expect.poll(() => watch.acceptsWrites, soon).toBe(false);
    expect(await rejectedFor()).toEqual(["replicas"]);
    expect(lines).toEqual([]);
    nowMs += 3000;
    await expect.poll(() => lines.length, soon).toBe(1);
    expect(lines[0]?.msg).toMatch(
      /^Redis rejects writes: too few replicas are connected; .* get REPLICAS_UNAVAILABLE or DURABILITY_UNCONFIRMED;/,
    );
    watch.logFailure("participants' feeds", new PetakError("DURABILITY_UNCONFIRMED", "may be done", { cause: new Error("WAIT") }));
    hasEnoughReplicas = true;
    await expect.poll(() => watch.acceptsWrites, soon).toBe(true);
    nowMs += 3000;
    await expect.poll(() => lines.length, soon).toBe(2);
  });
});

describe("a failure of a part", () => {
  it("is logged as it is if Redis did not cause it", () => {
    watch.logFailure("the sweep", new TypeError("no such thing"), { region: "83652b" });
    const stack = expect.stringContaining("    at ");
    expect(lines).toEqual([
      expect.objectContaining({
        level: error,
        msg: "the sweep",
        region: "83652b",
        err: { type: "TypeError", message: "no such thing", stack },
      }),
    ]);
  });

  it("is logged once a minute if Redis responds to others", async () => {
    const failure = () => watch.logFailure("the sweep", new Error("Connection is closed."));
    failure();
    await expect.poll(() => lines.length, soon).toBe(1);
    expect(lines[0]).toMatchObject({ level: warn, reason: "Connection is closed.", redis: `unix://${server.options.path}` });
    expect(lines[0]?.msg).toBe("the sweep failed although Redis responds to others; it is retried");
    for (let times = 0; times < 100; times++) failure();
    watch.logFailure("another", new Error("Connection is closed."));
    await expect.poll(() => lines.length, soon).toBe(2);
    expect(lines[1]?.msg).toMatch(/^another failed/);
    nowMs += remindMs;
    failure();
    await expect.poll(() => lines.length, soon).toBe(3);
  });

  it("is attributed to Redis by the cause of the error that a call got", async () => {
    await tool.config("SET", "maxmemory", "1");
    const oom = await tool.set("any", "1").catch((cause: unknown) => cause);
    watch.logFailure("a call", new PetakError("STORE_UNAVAILABLE", "the gateway cannot look up keys now", { cause: oom }));
    expect(lines[0]?.msg).toMatch(/^Redis rejects writes: its memory /);
  });

  it("is not logged while connections recover after an outage", async () => {
    await server.kill9();
    await untilUnreachable(/ECONNREFUSED|ENOENT/);
    await untilLogged(1);
    await server.restart();
    await untilReachable();
    await untilLogged(2);
    watch.logFailure("a connection that takes longer", new Error("connect ECONNREFUSED"));
    // A command sent now ends after the check that this failure started.
    await expect.poll(() => redis.get("petak:any"), soon).not.toBeNull();
    nowMs += 15_000;
    watch.logFailure("a connection that takes too long", new Error("connect ECONNREFUSED"));
    await expect.poll(() => lines.length, soon).toBe(3);
    expect(lines[2]?.msg).toMatch(/^a connection that takes too long failed/);
  });
});

it("connections that are made and break again are a single outage", async () => {
  const link = await openRedisLink(server.options);
  watch.stop();
  redis.disconnect();
  await begin({ url: link.url });
  let isBreaking = true;
  redis.on("ready", () => {
    if (isBreaking) link.sever();
  });
  link.sever();
  await untilLogged(1, 10);
  const connected: number[] = [];
  redis.on("ready", () => connected.push(lines.length));
  await expect.poll(() => connected.length, soon).toBeGreaterThan(5);
  isBreaking = false;
  await untilLogged(2, 10);
  expect(lines.map(({ msg }) => /^Redis is (unreachable|reachable again)/.exec(msg)?.[1])).toEqual(["unreachable", "reachable again"]);
  await link.stop();
});

it("the unreachable or full servers of a cluster are named", async () => {
  await using cluster = await startTestCluster();
  const [gone, full] = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`);
  watch.stop();
  redis.disconnect();
  await begin(cluster.address);
  const member = new Redis({ port: cluster.nodes[1]?.port ?? 0 });
  await member.config("SET", "maxmemory", "1");
  watch.logFailure("a call", new Error("OOM command not allowed when used memory > 'maxmemory'."));
  const untilLogged = (count: number) =>
    expect
      .poll(() => {
        nowMs += 10;
        return lines.length;
      }, soon)
      .toBe(count);
  await untilLogged(1);
  expect(lines[0]).toMatchObject({ redis: redisAddressText(address), servers: [full] });
  await member.config("SET", "maxmemory", "0");
  member.disconnect();
  await untilAccepted();
  await untilLogged(2);

  await cluster.nodes[0]?.kill9();
  await untilLogged(3);
  expect(lines[2]?.msg).toMatch(/^Redis is unreachable: /);
  expect(lines[2]?.servers).toContain(gone);
  await cluster.nodes[0]?.restart();
  await untilLogged(4);
});
