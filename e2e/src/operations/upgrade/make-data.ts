/**
 * Makes data of the present version, to be kept for the tests of later commits:
 *
 *     node scripts/with-node.mjs e2e/src/operations/upgrade/make-data.ts e2e/src/operations/upgrade/data-of-version-3
 *
 * An existing directory is replaced, except for its README.md.
 */
import { randomUUID } from "node:crypto";
import { cp, mkdir, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { type DescMessage, type MessageShape, toBinary } from "@bufbuild/protobuf";
import type { OpenDoor, SimulatedTerminal } from "@petak/agent/simulation";
import { createRequestSigner } from "@petak/client/node";
import {
  Act,
  GetCustodyChainResponseSchema,
  HoldKind,
  OverflowFallback,
  ReservationSchema,
  ReserveResponseSchema,
  Role,
} from "@petak/protocol";
import { createFrozenClock, createTempDir, type FrozenClock, makeSite, moveServerClock, startTestServer } from "@petak/testkit";
import { keyFileOf, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { Redis } from "ioredis";
import { until } from "../faults/until.ts";
import { dumpDatabase } from "./dump-database.ts";
import type { DataFacts, ReservationName } from "./kept-data.ts";
import { dumpKeys } from "./stored-keys.ts";

const prefix = "petak";
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const compartments = ["A1", "A2", "A3", "A4", "A5", "A6"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" }));

/** The participants and servers with which the data is made. */
interface World {
  redis: Redis;
  clock: FrozenClock;
  network: TestNetwork;
  courier: TestParticipant;
  sites: DataFacts["sites"];
  terminal: SimulatedTerminal;
}

/** A reservation with its request and response. */
type Made = Awaited<ReturnType<typeof reserve>>;

async function main(outDir: string): Promise<void> {
  await using directory = await createTempDir();
  await using server = await startTestServer();
  const redis = new Redis(server.options);
  const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const archiveDir = join(directory.path, "archive");
  const dataDir = join(directory.path, "data");
  const storePath = join(directory.path, "agent.db");
  const network = await startTestNetwork({
    redis: { address: server.address },
    keyPrefix: prefix,
    dataDir,
    now: clock.now,
    sweepIntervalMs: 10,
    archive: { directory: archiveDir, retentionMs: 25 * hourMs, intervalMs: 10, serverTimeMs: async () => clock.now() },
  });
  try {
    const [operator, courier] = [await network.join("operator", [Role.OPERATOR]), await network.join("courier", [Role.COURIER])];
    const sites = await makeSites(network, operator);
    const agentKey = await network.agentKey(operator, sites.terminal);
    const agent = network.clientFor(createRequestSigner({ ...agentKey, now: clock.now })).agents;
    const { keyId, privateJwk } = agentKey;
    const terminal = await network.openTerminal(operator, sites.terminal, {
      cabinet: compartments,
      client: agent,
      reportKey: { keyId, privateJwk },
      storePath,
    });
    const world: World = { redis, clock, network, courier, sites, terminal };
    const ended = await makeEnded(world);
    const living = await makeLiving(world);
    const unreported = await depositUnreported(world, agent);
    const facts: DataFacts = {
      ...{ atMs: clock.now(), prefix, sites, occupied: terminal.cabinet.contents() },
      ...(await readBack(world, { ...ended, ...living.reservations })),
      ...{ credentials: living.credentials, unreported, bundleId: living.bundleId, endpointId: living.endpointId },
      keys: {
        operator: keyFileOf(operator),
        courier: keyFileOf(courier),
        agent: {
          participant_id: operator.participantId,
          key_id: keyId,
          mode: "test",
          audience: agentKey.audience,
          private_jwk: privateJwk,
        },
      },
    };
    await network.gateway.stop();
    for (const name of ["archive", "data"]) await rm(join(outDir, name), { recursive: true, force: true });
    await mkdir(join(outDir, "data"), { recursive: true });
    await writeFile(join(outDir, "facts.json"), `${JSON.stringify(facts, undefined, 2)}\n`);
    await writeFile(join(outDir, "store.ndjson"), await dumpKeys(redis, prefix));
    await writeFile(join(outDir, "agent.sql"), dumpDatabase(storePath));
    await cp(archiveDir, join(outDir, "archive"), { recursive: true });
    await cp(join(dataDir, "gateway-secrets.json"), join(outDir, "data/gateway-secrets.json"));
  } finally {
    await network.stop();
    redis.disconnect();
  }
}

async function makeSites(network: TestNetwork, operator: TestParticipant): Promise<DataFacts["sites"]> {
  await operator.client.directory.setDefaultTerms({
    requestId: randomUUID(),
    terms: {
      freeStorage: { seconds: 172_800n },
      longestStorage: { seconds: 604_800n },
      lateChangeFee: { currencyCode: "SGD", units: 1n },
      noShowFee: { currencyCode: "SGD", units: 2n },
    },
  });
  const [terminal = "", full = "", store = ""] = await network.putSites(
    operator,
    makeSite(
      { ref: "terminal", latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, compartments.length]] },
      { compartments: compartments.map((one) => ({ ...one, centreHeightMm: 1000 })) },
    ),
    makeSite({ ref: "full", latitude: 1.301, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 1]] }),
    makeSite({ ref: "store", latitude: 1.302, longitude: 103.801, classes: [["M", 400, 200, 500, 20_000, 5]] }),
  );
  return { terminal, full, store };
}

/** Makes the reservations that are archived. */
async function makeEnded(world: World): Promise<Record<"collected" | "rejected", Made>> {
  const { clock, sites, courier, redis } = world;
  const { reservations } = courier.client;
  const collected = await reserve(world, sites.terminal, "collected");
  await confirm(world, collected, 7200n);
  await visit(world, collected, Act.DEPOSIT);
  await visit(world, collected, Act.COLLECT);
  await confirm(world, await reserve(world, sites.full, "fills the site"));
  const rejected = await reserve(world, sites.full, "rejected", {
    overflowPolicy: { wait: { seconds: 300n }, fallback: OverflowFallback.ASK_CONSUMER },
  });
  clock.advance(301_000);
  await until("the reservation whose wait has ended is rejected", async () => {
    const { reservation } = await reservations.getReservation({ reservationId: rejected.reservationId });
    return reservation?.overflowFallback === OverflowFallback.ASK_CONSUMER;
  });
  for (let day = 0; day < 4; day++) await passDay(world);
  for (const { reservationId } of [collected, rejected]) {
    if ((await redis.exists(`${regionTag(sites)}:res:${reservationId.split("_")[2]}`)) > 0)
      throw new Error(`${reservationId} was not archived`);
  }
  return { collected, rejected };
}

/** Makes the reservations that are not archived. */
async function makeLiving(world: World) {
  const { sites, courier } = world;
  const held = await reserve(world, sites.terminal, "held");
  const hard = await reserve(world, sites.terminal, "hard", { holdKind: HoldKind.HARD });
  const confirmed = await reserve(world, sites.terminal, "confirmed");
  await confirm(world, confirmed);
  const deposit = await token(world, confirmed, Act.DEPOSIT);
  const deposited = await reserve(world, sites.terminal, "deposited");
  await confirm(world, deposited);
  await visit(world, deposited, Act.DEPOSIT);
  const collect = await token(world, deposited, Act.COLLECT);
  const queued = await reserve(world, sites.full, "queued", {
    overflowPolicy: { wait: { seconds: 80_000n }, fallback: OverflowFallback.HOLD_AT_DEPOT },
  });
  const [bundled, other] = [await reserve(world, sites.store, "bundled"), await reserve(world, sites.store, "bundled too")];
  for (const one of [bundled, other]) await confirm(world, one);
  const reservationIds = [bundled.reservationId, other.reservationId];
  const { bundle } = await courier.client.reservations.putBundle({ requestId: randomUUID(), reservationIds });
  const { endpoint } = await courier.client.webhooks.createEndpoint({ requestId: randomUUID(), url: "https://hooks.invalid/petak" });
  return {
    reservations: { held, hard, confirmed, deposited, queued, bundled },
    credentials: { deposit, collect },
    bundleId: bundle?.bundleId ?? "",
    endpointId: endpoint?.endpointId ?? "",
  };
}

/** Makes a deposit that the agent has not reported, and stops the terminal. */
async function depositUnreported(world: World, agent: World["courier"]["client"]["agents"]): Promise<DataFacts["unreported"]> {
  const { sites, terminal } = world;
  const made = await reserve(world, sites.terminal, "unreported");
  await confirm(world, made);
  const accessToken = await token(world, made, Act.DEPOSIT);
  await terminal.restart({ client: agent });
  const unreachable = async () => {
    throw new Error("the gateway cannot be reached");
  };
  await terminal.restart({ client: { boot: unreachable, sync: unreachable, reportEvents: unreachable } });
  terminal.useDoor(doorOf(await terminal.agent.present({ token: accessToken })));
  const { outbox } = terminal.store;
  await until("the door's reports are in the outbox", () => outbox.lastSequence() - outbox.acknowledgedSequence() > 1);
  await terminal.stop();
  return { reservationId: made.reservationId };
}

/** The gateway's final responses about the data. */
async function readBack(
  { courier }: World,
  made: Record<ReservationName, Made>,
): Promise<Pick<DataFacts, "reservations" | "repeated" | "feed">> {
  const { reservations, custody } = courier.client;
  const found: [string, DataFacts["reservations"][ReservationName]][] = [];
  for (const [name, { reservationId }] of Object.entries(made)) {
    const { reservation } = await reservations.getReservation({ reservationId });
    const withChain = ["collected", "rejected", "deposited"].includes(name);
    const chain = withChain ? base64(GetCustodyChainResponseSchema, await custody.getCustodyChain({ reservationId })) : undefined;
    found.push([name, { reservationId, reservation: base64(ReservationSchema, reservation), ...(chain && { chain }) }]);
  }
  const { request, response } = made.held;
  const firstPage = await custody.listEvents({ pageSize: 5 });
  const rest = await custody.listEvents({ cursor: firstPage.nextCursor, pageSize: 1000 });
  return {
    reservations: Object.fromEntries(found) as DataFacts["reservations"],
    repeated: {
      request: { requestId: request.requestId, siteId: request.place.value, partnerReference: request.partnerReference },
      response: base64(ReserveResponseSchema, response),
    },
    feed: { eventIds: [...firstPage.events, ...rest.events].map(({ eventId }) => eventId), cursor: firstPage.nextCursor },
  };
}

async function reserve({ courier }: World, siteId: string, partnerReference: string, more: object = {}) {
  const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId } as const, parcel, partnerReference };
  const response = await courier.client.reservations.reserve({ ...request, ...more });
  return { request, response, reservationId: response.reservation?.reservationId ?? "" };
}

async function confirm({ courier }: World, { reservationId }: Made, depositWithinS = BigInt((6 * dayMs) / 1000)): Promise<void> {
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId, depositWithin: { seconds: depositWithinS } });
}

async function token({ courier }: World, { reservationId }: Made, act: Act): Promise<string> {
  return (await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
}

/** Shows a token at the terminal as soon as the agent knows it, and uses the door that opens. */
async function visit(world: World, made: Made, act: Act): Promise<void> {
  const { agent } = world.terminal;
  const accessToken = await token(world, made, act);
  await agent.syncNow();
  world.terminal.useDoor(doorOf(await agent.present({ token: accessToken })));
  await agent.flushed();
}

function doorOf(presentation: Awaited<ReturnType<SimulatedTerminal["visit"]>>): OpenDoor {
  if (!presentation.opened) throw new Error(`no door opened: ${presentation.refusal}`);
  return presentation;
}

/** Advances the clock by a day, and waits until everything due is done and archived. */
async function passDay({ clock, redis, sites }: World): Promise<void> {
  clock.advance(dayMs);
  await moveServerClock(redis, prefix, { byMs: dayMs, nowMs: clock.now() });
  const tag = regionTag(sites);
  await until("everything due is done and ended reservations are archived", async () => {
    const due = await redis.zcount(`${tag}:deadlines`, "-inf", clock.now());
    const [oldest] = await redis.xrange(`${tag}:events`, "-", "+", "COUNT", 1);
    const oldestMs = oldest === undefined ? clock.now() : Number.parseInt(oldest[0], 10);
    const leavesMs = Math.ceil((oldestMs + 1) / dayMs) * dayMs + 25 * hourMs;
    return due === 0 && leavesMs > clock.now() && (await redis.exists(`${tag}:archive-lease`)) === 0;
  });
}

function regionTag({ terminal }: DataFacts["sites"]): string {
  return `${prefix}:{${terminal.split("_")[1]}}`;
}

function base64<Desc extends DescMessage>(schema: Desc, message: MessageShape<Desc> | undefined): string {
  if (message === undefined) throw new Error(`the gateway returned no ${schema.name}`);
  return Buffer.from(toBinary(schema, message)).toString("base64");
}

const [outDir] = process.argv.slice(2);
if (outDir === undefined) throw new Error("name the directory to write to");
await main(resolve(outDir));
