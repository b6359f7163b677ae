import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { toJson } from "@bufbuild/protobuf";
import { type AgentStore, openAgentStore } from "@petak/agent";
import type { PetakClient, RequestSigner } from "@petak/client/node";
import { AllowanceSchema, BundleAllowanceSchema, Role, reasonOf, type SyncResponse } from "@petak/protocol";
import {
  createFrozenClock,
  createRandom,
  type FrozenClock,
  makeSite,
  type Random,
  roundsHere,
  tempDir,
  testSeed,
  useRedis,
} from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { expect, it, onTestFinished } from "vitest";
import { origin, parcel } from "../testing/world.ts";
import { compartmentIds, drawHappening, happeningNames, NothingYetError, places, type SiteLife } from "./site-life.ts";

const redis = useRedis();
/** The number of lives of two sites, and what is drawn in each. */
const lives = roundsHere({ short: 1, ci: 40 });
const stepsOfEach = 80;
const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, places]];
const compartments = compartmentIds.map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));

/** An agent's disk that takes what Sync answers. */
class Reader {
  readonly store: AgentStore;
  readonly counts = { unchanged: 0, difference: 0, complete: 0 };
  readonly signer: RequestSigner;
  readonly #siteId: string;
  readonly #agents: () => PetakClient["agents"];

  constructor(store: AgentStore, siteId: string, agents: () => PetakClient["agents"], signer: RequestSigner) {
    this.store = store;
    this.signer = signer;
    this.#siteId = siteId;
    this.#agents = agents;
  }

  /** Asks for what has changed. */
  async sync(): Promise<SyncResponse> {
    const known = { knownVersion: this.store.syncVersion(), knownVersionTag: this.store.syncVersionTag(), acceptsDifference: true };
    const response = await this.#agents().sync({ siteId: this.#siteId, ...known });
    this.counts[response.unchanged ? "unchanged" : response.isDifference ? "difference" : "complete"] += 1;
    if (!response.unchanged) this.store.saveSync({ ...response, trustBundle: undefined });
    return response;
  }

  /** Expects what it has to be what a reader that knows nothing gets. */
  async expectTrue(said: readonly string[]): Promise<void> {
    for (;;) {
      const last = await this.sync();
      const complete = await this.#agents().sync({ siteId: this.#siteId });
      const has = stateOf({ allowances: this.store.allowances.all(), bundles: [...this.store.bundles()] });
      // The sweep may have changed something meanwhile.
      const after = await this.#agents().sync({ siteId: this.#siteId, knownVersion: complete.version });
      if (!after.unchanged || complete.version !== this.store.syncVersion()) continue;
      expect({ said, ...has }).toEqual({ said, ...stateOf(complete) });
      if (!last.unchanged) expect([...this.store.revokedServiceHashes()].sort()).toEqual([...complete.revokedServiceHashes].sort());
      return;
    }
  }
}

function stateOf({ allowances, bundles }: Pick<SyncResponse, "allowances" | "bundles">) {
  return {
    allowances: allowances.map((one) => JSON.stringify(toJson(AllowanceSchema, one))).sort(),
    bundles: bundles.map((one) => JSON.stringify(toJson(BundleAllowanceSchema, one))).sort(),
  };
}

interface Scene {
  random: Random;
  clock: FrozenClock;
  /** Two gateways of one store. */
  gateways: readonly [TestNetwork, TestNetwork];
  operator: TestParticipant;
  courier: TestParticipant;
}

/** Two new sites, each with somebody who reports and an agent that reads. */
async function makeSites({ random, gateways, operator }: Scene) {
  const [network] = gateways;
  return await Promise.all(
    [0, 0.01].map(async (east) => {
      const place = { latitude: origin.latitude + random.float(0, 0.1), longitude: origin.longitude + east };
      const site = makeSite({ ...place, ref: randomUUID(), classes }, { compartments });
      const siteId = await network.putSite(operator, site);
      const signer = await network.agentSigner(operator, siteId);
      const agents = gateways.map((gateway) => gateway.clientFor(signer).agents);
      const store = openAgentStore(join(await tempDir(), "agent.db"));
      onTestFinished(() => store.close());
      const reader = new Reader(store, siteId, () => random.pick(agents), signer);
      return { siteId, site, reporter: await network.reporterAt(operator, siteId), reader };
    }),
  );
}

/** Lets things happen at two sites, whose agents sometimes ask what has changed. Counts what happened in `done`. */
async function live(scene: Scene, done: Map<string, number>): Promise<Reader["counts"][]> {
  const { random, clock, gateways } = scene;
  const sites = await makeSites(scene);
  const clientsOf = ({ signer }: TestParticipant) => gateways.map((gateway) => gateway.clientFor(signer, { retry: false }));
  const [operators, couriers] = [clientsOf(scene.operator), clientsOf(scene.courier)];
  const people = { operator: () => random.pick(operators), courier: () => random.pick(couriers) };
  const life: SiteLife = { random, clock, sites, ...people, reservations: [], bundleIds: [], issued: [] };
  const said: string[] = [];
  for (let step = 0; step < stepsOfEach; step += 1) {
    const { name, happen } = drawHappening(life);
    try {
      await happen(life);
      said.push(name);
      done.set(name, (done.get(name) ?? 0) + 1);
    } catch (error) {
      // Much of what is drawn is not possible, and refused.
      if (!(error instanceof NothingYetError) && reasonOf(error) === undefined) throw error;
    }
    if (random.bool(0.3)) await random.pick(sites).reader.expectTrue(said);
  }
  for (const { reader } of sites) await reader.expectTrue(said);
  return sites.map(({ reader }) => reader.counts);
}

it("a difference leaves an agent with what a complete answer gives, whatever has happened and whichever gateway of the store answers", {
  timeout: 180_000 + lives * 60_000,
}, async () => {
  const random = createRandom(testSeed());
  const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const settings = { now: clock.now, sweepIntervalMs: 20 };
  const network = await startTestNetwork({ redis, ...settings });
  onTestFinished(() => network.stop());
  const twin = await startTestNetwork({ ...network.shared, redis: { address: redis.address }, ...settings });
  onTestFinished(() => twin.stop());
  const [operator, courier] = [
    await network.join("Operator", [Role.OPERATOR]),
    await network.join("Courier", [Role.COURIER, Role.MERCHANT]),
  ];
  const scene: Scene = { random, clock, gateways: [network, twin], operator, courier };
  const done = new Map<string, number>();
  const counts: Reader["counts"][] = [];
  for (let lived = 0; lived < lives; lived += 1) counts.push(...(await live(scene, done)));
  const sum = (of: keyof Reader["counts"]) => counts.reduce((total, each) => total + each[of], 0);
  process.stdout.write(`${sum("difference")} differences, ${sum("complete")} complete: ${JSON.stringify(Object.fromEntries(done))}\n`);
  // Many lives are meaningful only if there were differences, and all kinds of changes.
  if (lives < 10) return;
  expect(sum("difference")).toBeGreaterThan(lives);
  expect(happeningNames.filter((name) => !done.has(name))).toEqual([]);
});

it("an agent that knows more than a store that was reset to an earlier copy gets everything, also where the store has come as far again", async () => {
  const clock = createFrozenClock(Date.now());
  const network = await startTestNetwork({ redis, now: clock.now });
  onTestFinished(() => network.stop());
  const [operator, courier] = [await network.join("Operator", [Role.OPERATOR]), await network.join("Courier", [Role.COURIER])];
  const scene: Scene = { random: createRandom(testSeed()), clock, gateways: [network, network], operator, courier };
  const [{ siteId, reader } = expect.fail("no site")] = await makeSites(scene);
  const reserve = async ({ client }: TestParticipant) => {
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await client.reservations.reserve({ requestId: randomUUID(), place, parcel });
    await client.reservations.confirm({ requestId: randomUUID(), reservationId: reservation?.reservationId ?? "" });
  };
  await reserve(courier);
  await reader.expectTrue(["a reservation"]);
  const copy = await copyStore();
  await reserve(courier);
  await reader.expectTrue(["one that is lost"]);
  const known = reader.store.syncVersion();
  await network.gateway.stop();
  await copy.restore();
  const later = await startTestNetwork({ ...network.shared, redis: { address: redis.address }, now: clock.now });
  onTestFinished(() => later.stop());
  await reserve({ ...courier, client: later.clientFor(courier.signer) });
  const signer = later.clientFor(reader.signer);
  const moved = new Reader(reader.store, siteId, () => signer.agents, reader.signer);
  await moved.expectTrue(["another one in its place"]);
  expect([reader.store.syncVersion(), moved.counts]).toMatchObject([known, { complete: 1, difference: 0 }]);
});

/** Copies all keys of the running test. */
async function copyStore(): Promise<{ restore(): Promise<void> }> {
  const keys = () => redis.client.keys(`${redis.keyPrefix}*`);
  const copied = await Promise.all(
    (await keys()).map(async (key) => [key, await redis.client.dumpBuffer(key), await redis.client.pttl(key)] as const),
  );
  return {
    async restore() {
      await redis.client.del(await keys());
      // Those without content expired while they were copied.
      for (const [key, bytes, leftMs] of copied) if (bytes !== null) await redis.client.restore(key, Math.max(0, leftMs), bytes);
    },
  };
}
