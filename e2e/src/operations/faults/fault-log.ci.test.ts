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
/** How long nothing more may be logged, in ms: every part of the gateway retries within a second. */
const quietMs = roundsHere({ short: 1_200, ci: 3_000 });
const [infoLevel, warnLevel, errorLevel] = [30, 40, 50];

let directory: TempDir;
let server: TestServer;
let network: TestNetwork;
let courier: TestParticipant;
let siteId: string;
/** Receives webhooks. */
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

/** Starts a gateway with every background task: sweep, events, webhooks, archive, shared secrets. */
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

const readinessMessages = ["not ready", "ready again"];
/** What the log says about faults: every line except those of single calls, of readiness, and of how full the store is, which it looks at once a second. */
const faultLines = () => linesOf(({ msg }) => msg !== "rpc" && !readinessMessages.includes(msg) && !msg.startsWith("the store is "));
const readiness = () => linesOf(({ msg }) => readinessMessages.includes(msg)).map(({ msg }) => msg);

/** Makes calls and checks readiness until this many lines are logged. */
async function untilLogged(beginnings: RegExp[]): Promise<void> {
  await expect
    .poll(async () => {
      await Promise.all([reserve().catch(() => undefined), fetch(`${network.baseUrl}/readyz`)]);
      return faultLines().length;
    }, soon)
    .toBeGreaterThanOrEqual(beginnings.length);
  // There are no further lines, and none that requires knowledge of the code.
  expect(faultLines().map(({ msg }, index) => (beginnings[index]?.test(msg) ? "" : msg))).toEqual(beginnings.map(() => ""));
  expect(network.lines.filter((line) => line.includes("    at ") || line.includes("offlineQueue"))).toEqual([]);
}

/** The number of a server's clients, apart from its replicas. */
async function connectionsTo(tool: Redis): Promise<number> {
  return String(await tool.client("LIST", "TYPE", "NORMAL"))
    .trim()
    .split("\n").length;
}

/** Continues to make calls until every part of the gateway has retried, within a second; expects no further line. */
async function expectNoMoreLines(): Promise<void> {
  const before = faultLines();
  const untilMs = performance.now() + quietMs;
  while (performance.now() < untilMs) {
    await reserve().catch(() => undefined);
    // Calls without a pause would take the time of those parts.
    await pause(10);
  }
  expect(faultLines()).toEqual(before);
}

describe("the log of a gateway", () => {
  it("says once that Redis cannot be reached, and that it is back", async () => {
    await begin({ socketPath: server.options.path });
    const outage = /^Redis is unreachable: nothing listens at its address; start it\./;
    const back = /^Redis is reachable again after \d/;
    await server.kill9();
    await untilLogged([outage]);
    await expectNoMoreLines();
    await server.restart();
    await untilLogged([outage, back]);
    await expectNoMoreLines();
    expect(faultLines().map(({ level }) => level)).toEqual([errorLevel, infoLevel]);
    expect(readiness()).toEqual(readinessMessages);
  });

  it("says once that Redis does not respond, and that it is back", async () => {
    await begin({ socketPath: server.options.path });
    const outage = /^Redis is unreachable: it accepts connections but does not respond; /;
    const back = /^Redis is reachable again after \d/;
    process.kill(server.pid, "SIGSTOP");
    try {
      await untilLogged([outage]);
      await expectNoMoreLines();
    } finally {
      process.kill(server.pid, "SIGCONT");
    }
    await untilLogged([outage, back]);
    await expectNoMoreLines();
    expect(readiness()).toEqual(readinessMessages);
  });

  it("says that the disk or the memory is full, what to do, and that it is over", async () => {
    await begin({ socketPath: server.options.path });
    const tool = new Redis(server.options);
    const disk = /^Redis rejects writes: it cannot write to its disk; free space/;
    const memory = /^Redis rejects writes: its memory has reached maxmemory; raise that/;
    const over = /^Redis accepts writes again after \d/;

    await fillDisk(server, 100);
    await untilLogged([disk]);
    await expectNoMoreLines();
    await freeDisk(server);
    await untilLogged([disk, over]);

    await tool.config("SET", "maxmemory", "1");
    await untilLogged([disk, over, memory]);
    await tool.config("SET", "maxmemory", "0");
    await untilLogged([disk, over, memory, over]);
    // Reads are still answered, so the gateway stays ready.
    expect(readiness()).toEqual([]);
    tool.disconnect();
  });

  it("says once that its Redis has become a replica, and the gateway continues at the new master", async () => {
    const replica = await startTestReplica(server);
    const link = await openRedisLink(server.options);
    await begin({ url: link.url });
    const follows = /^Redis rejects writes: it is a replica; set redisUrl to the master/;
    const over = /^Redis accepts writes again after \d/;
    await replica.promote();
    const tool = new Redis(server.options);
    await tool.replicaof("127.0.0.1", replica.port ?? 0);
    await untilLogged([follows]);
    await expectNoMoreLines();
    // The existing connections stay open.
    link.leadTo(replica.options);
    await untilLogged([follows, over]);
    await expect.poll(() => connectionsTo(tool), soon).toBe(1);
    await expectNoMoreLines();
    tool.disconnect();
    await network.stop();
    await link.stop();
    await replica.stop();
  });

  it("says that Redis has too few replicas or was replaced by one, and that it takes changes again", async () => {
    const replica = await startTestReplica(server);
    const link = await openRedisLink(server.options);
    await begin({ url: link.url }, { level: "replicated", check: "refuse", replication: { replicas: 1, on: "memory", withinMs: 1500 } });
    const few = /^Redis rejects writes: too few replicas are connected; check them/;
    const over = /^Redis accepts writes again after \d/;
    replica.freeze();
    await untilLogged([few]);
    const refused = linesOf(({ reason = "" }) => ["DURABILITY_UNCONFIRMED", "REPLICAS_UNAVAILABLE"].includes(reason));
    expect([...new Set(refused.map(({ level }) => level))]).toEqual([warnLevel]);
    await expectNoMoreLines();
    replica.thaw();
    await untilLogged([few, over]);

    const follower = await startTestReplica(replica);
    await replica.promote();
    link.moveTo(replica.options);
    await expect.poll(() => faultLines().at(-1)?.msg, soon).toMatch(/^Redis (was unreachable for|is reachable again after) \d/);
    await expectNoMoreLines();
    await network.stop();
    await link.stop();
    await Promise.all([replica.stop(), follower.stop()]);
  });
});
