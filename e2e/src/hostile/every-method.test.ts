import { Mode } from "@petak/protocol";
import { roundsHere, useRedis } from "@petak/testkit";
import { type ProcessNetwork, startTestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { everyMethod, nameOfMethod } from "../testing/every-method.ts";
import { type AttackSize, attack } from "./attack.ts";
import { type Counters, readCounters } from "./counters.ts";
import { type Hostile, joinHostile } from "./hostile-participant.ts";
import { joinNeighbours, type Neighbours } from "./neighbours.ts";

/** Calls that the gateway handles at once: few, so that a small attack is more than it can handle. */
const maxConcurrentCalls = 64;
/** Connections that it keeps open for one address: fewer than the hostile participant opens. */
const maxConnectionsPerAddress = 64;
/** Places beyond them in which connections may make health checks only. */
const healthConnections = 16;
/** Connections that the neighbours open beside those that they have, at most. */
const openedByNeighbours = 16;
/** Methods that are attacked together. */
const together = roundsHere({ short: 14, ci: 1 });
const size: AttackSize = {
  calls: roundsHere({ short: 96, ci: 256 }),
  connections: roundsHere({ short: 8, ci: 32 }),
  silent: roundsHere({ short: 32, ci: 100 }),
};
/** Parcels that the neighbours of each network send while methods are attacked. */
const parcels = roundsHere({ short: 1, ci: 2 });
/** The longest that a test may take, in ms: one that passes takes a fraction of it, also on a machine with other work. */
const patienceMs = 600_000;

/** How many refused signatures one caller can make the gateway verify in a second: the setting `callerRefusalsPerSecond`. */
const forgedPerSecond = 50;
/** Tokens that the neighbours and the hostile participants sign themselves meanwhile. */
const signedByOwners = 20;
/** What all attacks may leave in the store and in the gateway, in bytes. */
const storeMaxBytes = 32 * 1024 * 1024;
const heapMaxBytes = 48 * 1024 * 1024;

const names = everyMethod.map(nameOfMethod);
const groups = Array.from({ length: Math.ceil(names.length / together) }, (_, index) =>
  names.slice(index * together, (index + 1) * together),
);

const redis = useRedis();
let network: ProcessNetwork;
let neighbours: readonly Neighbours[];
let hostile: Hostile;
let before: Counters;
let heapBefore: number;

beforeAll(async () => {
  network = await startTestNetwork({
    redis,
    ownProcess: true,
    callLimits: { maxConcurrentCalls },
    serverLimits: { maxConnectionsPerAddress, healthConnections },
  });
  neighbours = await Promise.all([Mode.TEST, Mode.LIVE].map((mode) => joinNeighbours(network, mode)));
  hostile = await joinHostile(network);
  // The first call of each kind compiles much of the gateway.
  expect(await sendParcels()).toEqual([]);
  before = await readCounters(network, redis.client);
  heapBefore = (await network.gateway.measure()).heapBytes;
});

afterAll(() => hostile.world.stop());

/** Lets the neighbours of both networks send a parcel. Returns what was refused. */
async function sendParcels(): Promise<string[]> {
  return (await Promise.all(neighbours.map(({ live }) => live()))).flat();
}

/** What a participant has more of than it is allowed, by its own GetLimits. */
async function excessesOf({ client }: TestParticipant): Promise<string[]> {
  const { limits } = await client.participants.getLimits({ siteId: hostile.world.siteId });
  return limits.filter(({ limit, used = 0n }) => used > limit).map(({ kind, limit, used }) => `kind ${kind}: ${used} of ${limit}`);
}

describe("a hostile participant of the test network takes nothing from its neighbours there and in the live network", () => {
  it.each(groups.map((group) => [group.join(", "), group] as const))("by %s", { timeout: patienceMs }, async (_names, group) => {
    const [victim] = neighbours;
    if (victim === undefined) throw new Error("there are no neighbours");
    const weapons = await hostile.weapons();
    // All that is counted happens between these times, also on a machine on which reading takes a while.
    const startedMs = performance.now();
    const start = await readCounters(network, redis.client);
    const going = attack(
      network.baseUrl,
      group.map((name) => weapons.get(name) ?? fail(name)),
      victim.courier,
      size,
    );
    const refused: string[] = [];
    const seen: Counters[] = [];
    for (let parcel = 0; parcel < parcels; parcel += 1) {
      const [life, counters] = await Promise.all([sendParcels(), readCounters(network, redis.client)]);
      refused.push(...life);
      seen.push(counters);
    }
    const { accepted, refused: turnedAway, forged, proven } = await going.stop();
    const end = await readCounters(network, redis.client);
    const elapsedS = (performance.now() - startedMs) / 1000;
    expect(refused).toEqual([]);
    expect(Math.min(accepted + turnedAway, forged)).toBeGreaterThan(0);
    for (const { callsInProgress, connections, readyStatus } of seen) {
      // It has not got all of the calls.
      expect(callsInProgress).toBeLessThan(maxConcurrentCalls);
      expect(connections).toBeLessThanOrEqual(before.connections + openedByNeighbours + maxConnectionsPerAddress + healthConnections);
      expect(readyStatus).toBe(200);
    }
    const checks = end.signatureChecks - start.signatureChecks;
    expect(checks).toBeLessThan(forgedPerSecond * (elapsedS + 1) + size.connections + signedByOwners + proven);
    const { operator, courier } = hostile.world;
    expect([...(await excessesOf(operator)), ...(await excessesOf(courier))]).toEqual([]);
  });

  it("and nothing of it remains but what it may have", async () => {
    const connections = async () => (await readCounters(network, redis.client)).connections;
    await expect.poll(connections).toBeLessThanOrEqual(before.connections + 4);
    const inFlight = async () => (await network.gateway.look()).inFlight;
    await expect.poll(inFlight).toBe(0);
    const { heapBytes, wrongLines } = await network.gateway.measure();
    const { storeBytes } = await readCounters(network, redis.client);
    expect(wrongLines).toEqual([]);
    expect(heapBytes - heapBefore).toBeLessThan(heapMaxBytes);
    expect(storeBytes - before.storeBytes).toBeLessThan(storeMaxBytes);
  });
});

function fail(name: string): never {
  throw new Error(`${name} has no good request`);
}
