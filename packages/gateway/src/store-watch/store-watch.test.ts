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
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createLogger, createMetrics, type Metrics } from "../observability/index.ts";
import { remindMs } from "./spell.ts";
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
/** A connection of the tests' own. */
let tool: Redis;
let watch: StoreWatch;
/** What the watch's clock shows. It stands still but for what a test lets pass. */
let nowMs: number;
/** What the connection has said that is wrong. */
let failures: string[];
let areFollowed: boolean;

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
  areFollowed = true;
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
    areFollowed: () => areFollowed,
    now: () => nowMs,
  });
  await redis.connect();
}

/** What every part of a gateway does all the time: it asks, and tells what it met. */
async function work(): Promise<void> {
  const parts = Array.from({ length: 20 }, (_, index) => `part ${index}`);
  await Promise.all(parts.map((part) => redis.incr("petak:any").catch((failure: unknown) => watch.tell(part, failure))));
}

/** @param passingMs How much time passes with each look at the log. Less than between two looks: the clock is then slower than the one on the wall. */
async function untilTold(count: number, passingMs = 0): Promise<void> {
  await expect
    .poll(async () => {
      nowMs += passingMs;
      await work();
      return lines.length;
    }, soon)
    .toBe(count);
}

/** Waits until the watch has met that Redis is away, and its connection has said why, and lets so much time pass that it is told of. */
async function untilAway(why: RegExp): Promise<void> {
  await expect
    .poll(async () => {
      await work();
      return (await up()) === 0 && failures.some((failure) => why.test(failure));
    }, soon)
    .toBe(true);
  nowMs += 500;
}

/** Waits until Redis answers the watch again, and lets so much time pass that it is told of. */
async function untilBack(): Promise<void> {
  await expect.poll(up, soon).toBe(1);
  nowMs += 1000;
}

/** Waits until Redis takes changes again, and lets so much time pass that it is told of. */
async function untilTaken(): Promise<void> {
  await expect.poll(() => watch.takesChanges, soon).toBe(true);
  nowMs += 3000;
}

async function up(): Promise<number | undefined> {
  return (await metrics.redisUp.get()).values[0]?.value;
}

/** Why changes are refused, by the metric. */
async function refusedFor(): Promise<unknown[]> {
  const { values } = await metrics.redisRefusesChanges.get();
  return values.flatMap(({ value, labels }) => (value === 1 ? [labels.reason] : []));
}

describe("a Redis that is away", () => {
  it("is told of once when it begins, once a minute while it lasts, and once when it is back, by all parts together", async () => {
    expect(await up()).toBe(1);
    await server.kill9();
    await untilAway(/ECONNREFUSED|ENOENT/);
    await untilTold(1);
    expect(lines[0]).toMatchObject({
      level: error,
      redis: `unix://${server.options.path}`,
      reason: expect.stringMatching(/^connect (ECONNREFUSED|ENOENT) /),
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(lines[0]?.msg).toBe(
      "Redis is away: nothing listens at its address; start it. Calls that need it get STORE_UNAVAILABLE, and the gateway connects again by itself",
    );
    expect(await up()).toBe(0);
    await expect(watch.requireAnswers()).rejects.toThrow(`${server.options.path} does not answer`);

    nowMs += remindMs;
    await untilTold(2);
    expect(lines[1]).toMatchObject({ level: error, since: lines[0]?.since });
    expect(lines[1]?.msg).toBe("Redis is still away: nothing listens at its address; start it");

    await server.restart();
    await untilBack();
    await untilTold(3);
    expect(lines[2]).toMatchObject({ level: info, redis: `unix://${server.options.path}` });
    expect(lines[2]?.outage_ms).toBeGreaterThanOrEqual(remindMs);
    expect(lines[2]?.msg).toBe("Redis is back after 60.5 s");
    expect(await up()).toBe(1);
    await watch.requireAnswers();
    expect(lines.filter((line) => "err" in line || JSON.stringify(line).includes("    at "))).toEqual([]);
  });

  it("is told of as one that hangs where it takes connections and does not answer", async () => {
    process.kill(server.pid, "SIGSTOP");
    try {
      await untilTold(1);
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    expect(lines[0]?.msg).toMatch(/^Redis is away: it takes connections and answers nothing; it stands still, or waits for its disk\. /);
    await untilBack();
    await untilTold(2);
    expect(lines[1]?.msg).toMatch(/^Redis is back after \d+\.\d s$/);
    // It had not answered for two seconds when that was noticed.
    expect(lines[1]?.outage_ms).toBeGreaterThanOrEqual(2000);
  });

  it("is told of in one line where it was for a moment", async () => {
    const lost = once(redis, "close");
    await tool.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await lost;
    await once(redis, "ready");
    nowMs += 60;
    await untilBack();
    await untilTold(1);
    expect(lines[0]).toMatchObject({ level: warn, outage_ms: expect.any(Number) });
    expect(lines[0]?.msg).toMatch(/^Redis was away for 0\.\d\d s: /);
  });

  it("is told of as one that does not let the gateway in where its password was changed", async () => {
    await tool.config("SET", "requirepass", "another");
    await tool.call("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
    await untilAway(/^(NOAUTH|WRONGPASS) /);
    await untilTold(1);
    expect(lines[0]?.msg).toMatch(/^Redis is away: it refuses the user or the password of redisUrl\. /);
    await tool.config("SET", "requirepass", "");
    await untilBack();
    await untilTold(2);
  });

  it("is told of as one that reads its records back, while it does", async () => {
    await using slow = await startTestServer({ searchPath: await searchPathForSlowStart(await tempDir(), 300) });
    watch.stop();
    redis.disconnect();
    await begin({ socketPath: slow.options.path });
    await Promise.all(Array.from({ length: 10_000 }, (_, number) => redis.set(`petak:${number}`, "1")));
    await slow.kill9();
    await untilAway(/ECONNREFUSED|ENOENT/);
    await untilTold(1);
    const back = slow.restart();
    await expect.poll(() => redis.status, soon).toBe("connect");
    // It reads for three seconds, and is told of when it has for one.
    await expect
      .poll(() => {
        nowMs += remindMs;
        return lines.at(-1)?.msg;
      }, soon)
      .toBe("Redis is still away: it has begun, and reads its records back, after which it answers");
    await back;
    redis.disconnect();
  });
});

describe("a Redis that takes no changes", () => {
  it("because its disk is full is told of once, with what to do, and once when it takes them again", async () => {
    await fillDisk(server, 0);
    await untilTold(1);
    expect(lines[0]).toMatchObject({ level: error, reason: expect.stringMatching(/^MISCONF /) });
    expect(lines[0]?.msg).toBe(
      "Redis takes no changes: it cannot write to its disk; make room there, or see what else is wrong with it, and it goes on by itself. Calls that change something get STORE_UNAVAILABLE; searches and other reads go on",
    );
    expect([await up(), await refusedFor(), watch.takesChanges]).toEqual([1, ["disk"], false]);
    await watch.requireAnswers();
    nowMs += remindMs;
    await untilTold(2);
    expect(lines[1]?.msg).toMatch(/^Redis still takes no changes: it cannot write to its disk; /);
    await freeDisk(server);
    await untilTaken();
    await untilTold(3);
    expect(lines[2]?.msg).toBe("Redis takes changes again, after 60.0 s");
    expect([await refusedFor(), watch.takesChanges]).toEqual([[], true]);
  });

  it("because its memory is full is told of as that, also where nobody asks any more", async () => {
    await tool.config("SET", "maxmemory", "1");
    await work();
    expect(lines).toHaveLength(1);
    expect(lines[0]?.msg).toMatch(/^Redis takes no changes: its memory has reached maxmemory; raise that /);
    expect(await refusedFor()).toEqual(["memory"]);
    await tool.config("SET", "maxmemory", "0");
    await untilTaken();
    await expect.poll(() => lines.length, soon).toBe(2);
    expect(lines[1]?.msg).toMatch(/^Redis takes changes again, after \d/);
  });

  it("because it was made a replica is told of as that", async () => {
    await tool.replicaof("127.0.0.1", 1);
    await untilTold(1);
    expect(lines[0]?.msg).toMatch(/^Redis takes no changes: it is a replica; let redisUrl lead to the master\. /);
    expect(await refusedFor()).toEqual(["read_only"]);
    await tool.replicaof("NO", "ONE");
    await untilTaken();
    await untilTold(2);
  });

  it("because too few replicas follow is told of once they have been missing for more than a reconnection", async () => {
    areFollowed = false;
    await expect.poll(() => watch.takesChanges, soon).toBe(false);
    expect(await refusedFor()).toEqual(["replicas"]);
    expect(lines).toEqual([]);
    nowMs += 3000;
    await expect.poll(() => lines.length, soon).toBe(1);
    expect(lines[0]?.msg).toMatch(
      /^Redis takes no changes: too few replicas follow it; .* get REPLICAS_UNAVAILABLE or DURABILITY_UNCONFIRMED;/,
    );
    watch.tell("participants' logs", new PetakError("DURABILITY_UNCONFIRMED", "may be done", { cause: new Error("WAIT") }));
    areFollowed = true;
    await expect.poll(() => watch.takesChanges, soon).toBe(true);
    nowMs += 3000;
    await expect.poll(() => lines.length, soon).toBe(2);
  });
});

describe("what a part tells", () => {
  it("goes to the log as it is where it is not about Redis", () => {
    watch.tell("the sweep", new TypeError("no such thing"), { region: "83652b" });
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

  it("is told once a minute where Redis answers others", async () => {
    const failure = () => watch.tell("the sweep", new Error("Connection is closed."));
    failure();
    await expect.poll(() => lines.length, soon).toBe(1);
    expect(lines[0]).toMatchObject({ level: warn, reason: "Connection is closed.", redis: `unix://${server.options.path}` });
    expect(lines[0]?.msg).toBe("the sweep failed, while Redis answers others; it is tried again");
    for (let times = 0; times < 100; times++) failure();
    watch.tell("another", new Error("Connection is closed."));
    await expect.poll(() => lines.length, soon).toBe(2);
    expect(lines[1]?.msg).toMatch(/^another failed/);
    nowMs += remindMs;
    failure();
    await expect.poll(() => lines.length, soon).toBe(3);
  });

  it("is looked through for what Redis said behind an answer to a caller", async () => {
    await tool.config("SET", "maxmemory", "1");
    const oom = await tool.set("any", "1").catch((cause: unknown) => cause);
    watch.tell("a call", new PetakError("STORE_UNAVAILABLE", "the gateway cannot look up keys now", { cause: oom }));
    expect(lines[0]?.msg).toMatch(/^Redis takes no changes: its memory /);
  });

  it("is silence while connections come back after an outage", async () => {
    await server.kill9();
    await untilAway(/ECONNREFUSED|ENOENT/);
    await untilTold(1);
    await server.restart();
    await untilBack();
    await untilTold(2);
    watch.tell("a connection that takes longer", new Error("connect ECONNREFUSED"));
    // A look that begins now ends after the one that this has brought about.
    await expect.poll(() => redis.get("petak:any"), soon).not.toBeNull();
    nowMs += 15_000;
    watch.tell("a connection that takes too long", new Error("connect ECONNREFUSED"));
    await expect.poll(() => lines.length, soon).toBe(3);
    expect(lines[2]?.msg).toMatch(/^a connection that takes too long failed/);
  });
});

it("an address to which connections are made and break again is away once, however often they do", async () => {
  const link = await openRedisLink(server.options);
  watch.stop();
  redis.disconnect();
  await begin({ url: link.url });
  let isBreaking = true;
  redis.on("ready", () => {
    if (isBreaking) link.sever();
  });
  link.sever();
  await untilTold(1, 10);
  const connected: number[] = [];
  redis.on("ready", () => connected.push(lines.length));
  await expect.poll(() => connected.length, soon).toBeGreaterThan(5);
  isBreaking = false;
  await untilTold(2, 10);
  expect(lines.map(({ msg }) => msg.slice(0, 13))).toEqual(["Redis is away", "Redis is back"]);
  await link.stop();
});

it("of a cluster the servers are named that are away or full", async () => {
  await using cluster = await startTestCluster();
  const [gone, full] = cluster.nodes.map(({ port }) => `127.0.0.1:${port}`);
  watch.stop();
  redis.disconnect();
  await begin(cluster.address);
  const member = new Redis({ port: cluster.nodes[1]?.port ?? 0 });
  await member.config("SET", "maxmemory", "1");
  watch.tell("a call", new Error("OOM command not allowed when used memory > 'maxmemory'."));
  const untilToldIn = (count: number) =>
    expect
      .poll(() => {
        nowMs += 10;
        return lines.length;
      }, soon)
      .toBe(count);
  await untilToldIn(1);
  expect(lines[0]).toMatchObject({ redis: redisAddressText(address), servers: [full] });
  await member.config("SET", "maxmemory", "0");
  member.disconnect();
  await untilTaken();
  await untilToldIn(2);

  await cluster.nodes[0]?.kill9();
  await untilToldIn(3);
  expect(lines[2]?.msg).toMatch(/^Redis is away: /);
  expect(lines[2]?.servers).toContain(gone);
  await cluster.nodes[0]?.restart();
  await untilToldIn(4);
});
