import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { type DurabilityOptions, parseNetworks } from "@petak/gateway";
import { Mode, Role } from "@petak/protocol";
import type { RedisAddress } from "@petak/redis";
import {
  createTempDir,
  fillDisk,
  freeDisk,
  makeSite,
  openRedisLink,
  roundsHere,
  searchPathForFullDisk,
  startTestReplica,
  startTestServer,
  type TempDir,
  type TestServer,
} from "@petak/testkit";
import { type LogLine, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const soon = { interval: 50 };
/** How long nothing more may be told, in ms: every part of the gateway tries again within a second. */
const quietMs = roundsHere({ short: 1_200, ci: 3_000 });
const [infoLevel, warnLevel, errorLevel] = [30, 40, 50];

let directory: TempDir;
let server: TestServer;
let network: TestNetwork;
let courier: TestParticipant;
let siteId: string;
/** Takes webhooks. */
let receiver: Server;

beforeEach(async () => {
  directory = await createTempDir();
  receiver = createServer((_request, response) => response.writeHead(204).end()).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  server = await startTestServer({ searchPath: await searchPathForFullDisk(directory.path), hasReplicas: true });
});
afterEach(async () => {
  await network.stop();
  await server.stop();
  await directory.remove();
  receiver.closeAllConnections();
  receiver.close();
});

/** A gateway with everything that works beside the calls: sweep, events, webhooks, archive, shared secrets. */
async function begin(address: RedisAddress, durability?: DurabilityOptions): Promise<void> {
  network = await startTestNetwork({
    redis: { address },
    sweepIntervalMs: 100,
    secretsIntervalMs: 200,
    webhooks: { allowedNetworks: parseNetworks("127.0.0.0/8") ?? [], allowHttp: true, leaseMs: 600 },
    archive: { directory: join(directory.path, "archive"), retentionMs: 90_000_000, intervalMs: 200 },
    ...(durability === undefined ? {} : { durability }),
  });
  courier = await network.join("Courier", [Role.COURIER], Mode.TEST, { retry: false });
  const operator = await network.join("Operator", [Role.OPERATOR]);
  siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 500]] }));
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
  await courier.client.webhooks.createEndpoint({ requestId: randomUUID(), url });
  await reserve();
  network.lines.length = 0;
}

async function reserve(): Promise<unknown> {
  return await courier.client.reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
}

function linesOf(isWanted: (line: LogLine) => boolean): LogLine[] {
  return network.log().filter(isWanted);
}

const ofReadiness = ["not ready", "ready again"];
/** What an operator reads in the night: everything of the log but the line that each call has, and what whoever asks for readiness is told. */
const told = () => linesOf(({ msg }) => msg !== "rpc" && !ofReadiness.includes(msg));
const readiness = () => linesOf(({ msg }) => ofReadiness.includes(msg)).map(({ msg }) => msg);

/** Calls, and asks whether the gateway is ready, until so much has been told. */
async function untilTold(beginnings: RegExp[]): Promise<void> {
  await expect
    .poll(async () => {
      await Promise.all([reserve().catch(() => undefined), fetch(`${network.baseUrl}/readyz`)]);
      return told().length;
    }, soon)
    .toBeGreaterThanOrEqual(beginnings.length);
  // Nobody has added anything, and nothing is told that only who knows the code can read.
  expect(told().map(({ msg }, index) => (beginnings[index]?.test(msg) ? "" : msg))).toEqual(beginnings.map(() => ""));
  expect(network.lines.filter((line) => line.includes("    at ") || line.includes("offlineQueue"))).toEqual([]);
}

/** How many clients a server has, other than those that follow it. */
async function connectionsTo(tool: Redis): Promise<number> {
  return String(await tool.client("LIST", "TYPE", "NORMAL"))
    .trim()
    .split("\n").length;
}

/** Goes on calling until every part of the gateway has come round, each of which tries again within a second; nothing more is told. */
async function tellsNoMore(): Promise<void> {
  const before = told();
  const untilMs = performance.now() + quietMs;
  while (performance.now() < untilMs) {
    await reserve().catch(() => undefined);
    // Calls without a pause would take the time of those parts.
    await pause(10);
  }
  expect(told()).toEqual(before);
}

describe("the log of a gateway whose Redis", () => {
  it("is gone and comes back tells that it is, and that it is back", async () => {
    await begin({ socketPath: server.options.path });
    const away = /^Redis is unreachable: nothing listens at its address; start it\./;
    const back = /^Redis is reachable again after \d/;
    await server.kill9();
    await untilTold([away]);
    await tellsNoMore();
    await server.restart();
    await untilTold([away, back]);
    await tellsNoMore();
    expect(told().map(({ level }) => level)).toEqual([errorLevel, infoLevel]);
    expect(readiness()).toEqual(ofReadiness);
  });

  it("hangs and goes on tells that it does, and that it is back", async () => {
    await begin({ socketPath: server.options.path });
    const away = /^Redis is unreachable: it accepts connections but does not respond; /;
    const back = /^Redis is reachable again after \d/;
    process.kill(server.pid, "SIGSTOP");
    try {
      await untilTold([away]);
      await tellsNoMore();
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await untilTold([away, back]);
    await tellsNoMore();
    expect(readiness()).toEqual(ofReadiness);
  });

  it("has a full disk, or a full memory, tells which of these, what to do, and that it is over", async () => {
    await begin({ socketPath: server.options.path });
    const tool = new Redis(server.options);
    const disk = /^Redis rejects writes: it cannot write to its disk; free space/;
    const memory = /^Redis rejects writes: its memory has reached maxmemory; raise that/;
    const over = /^Redis accepts writes again after \d/;

    await fillDisk(server, 100);
    await untilTold([disk]);
    await tellsNoMore();
    await freeDisk(server);
    await untilTold([disk, over]);

    await tool.config("SET", "maxmemory", "1");
    await untilTold([disk, over, memory]);
    await tool.config("SET", "maxmemory", "0");
    await untilTold([disk, over, memory, over]);
    // Whoever reads is answered, and is to be sent here.
    expect(readiness()).toEqual([]);
    tool.disconnect();
  });

  it("is made a replica of the server that its address leads to from then on tells of it once, and goes on there", async () => {
    const replica = await startTestReplica(server);
    const link = await openRedisLink(server.options);
    await begin({ url: link.url });
    const follows = /^Redis rejects writes: it is a replica; set redisUrl to the master/;
    const over = /^Redis accepts writes again after \d/;
    await replica.promote();
    const tool = new Redis(server.options);
    await tool.replicaof("127.0.0.1", replica.port ?? 0);
    await untilTold([follows]);
    await tellsNoMore();
    // Nobody breaks the connections that there are.
    link.leadTo(replica.options);
    await untilTold([follows, over]);
    await expect.poll(() => connectionsTo(tool), soon).toBe(1);
    await tellsNoMore();
    tool.disconnect();
    await network.stop();
    await link.stop();
    await replica.stop();
  });

  it("is followed by too few replicas, or replaced by one, tells that changes are not taken, and that they are", async () => {
    const replica = await startTestReplica(server);
    const link = await openRedisLink(server.options);
    await begin({ url: link.url }, { level: "replicated", check: "refuse", replication: { replicas: 1, on: "memory", withinMs: 300 } });
    const few = /^Redis rejects writes: too few replicas are connected; check them/;
    const over = /^Redis accepts writes again after \d/;
    replica.freeze();
    await untilTold([few]);
    const refused = linesOf(({ reason = "" }) => ["DURABILITY_UNCONFIRMED", "REPLICAS_UNAVAILABLE"].includes(reason));
    expect([...new Set(refused.map(({ level }) => level))]).toEqual([warnLevel]);
    await tellsNoMore();
    replica.thaw();
    await untilTold([few, over]);

    const follower = await startTestReplica(replica);
    await replica.promote();
    link.moveTo(replica.options);
    await expect.poll(() => told().at(-1)?.msg, soon).toMatch(/^Redis (was unreachable for|is reachable again after) \d/);
    await tellsNoMore();
    await network.stop();
    await link.stop();
    await Promise.all([replica.stop(), follower.stop()]);
  });
});
