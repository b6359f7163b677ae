import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import type { SimulatedTerminal } from "@petak/agent/simulation";
import { createRequestSigner } from "@petak/client/node";
import { reportHash } from "@petak/credential";
import {
  Act,
  type DeviceEvent,
  DeviceEventSchema,
  DeviceEventType,
  type Event,
  EventType,
  parseSiteId,
  ReservationState,
  Role,
} from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { createFrozenClock, createManualTimers, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestKey, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let key: TestKey;
let terminal: SimulatedTerminal;
/** False: the agent cannot reach the gateway. */
let isOnline: boolean;

beforeAll(async () => {
  clock = createFrozenClock();
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  return () => network.stop();
});
beforeEach(async () => {
  isOnline = true;
  siteId = await network.putSite(
    operator,
    makeSite({ latitude: 1.3, longitude: 103.8, ref: randomUUID(), classes: [["M", 400, 200, 500, 20_000, 3]] }),
  );
  key = await network.agentKey(operator, siteId);
  const timers = createManualTimers(clock.now());
  terminal = await network.openTerminal(operator, siteId, {
    cabinet: ["M1", "M2", "M3"].map((compartmentId) => ({ compartmentId, sizeClassId: "M" })),
    now: clock.now,
    // Nothing is repeated but by the test.
    after: timers.after,
    ...agentOf(key),
  });
});

const clientOf = (withKey: TestKey) => network.clientFor(createRequestSigner({ ...withKey, now: clock.now }), { retry: false }).agents;

/** What an agent needs to report with a key. */
function agentOf(withKey: TestKey) {
  const agents = clientOf(withKey);
  const call =
    <Args extends unknown[], Result>(method: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      isOnline ? method(...args) : Promise.reject(new ConnectError("the link is cut", Code.Unavailable));
  const client = { boot: call(agents.boot), sync: call(agents.sync), reportEvents: call(agents.reportEvents) };
  return { client, reportKey: { keyId: withKey.keyId, privateJwk: withKey.privateJwk } };
}

/** Makes up reports after one of the device's, as who has the key and a copy of what is on the disk. */
async function junk(count: number, { sequence, hash } = terminal.store.outbox.last(key.keyId)): Promise<void> {
  const agents = clientOf(key);
  const epoch = terminal.store.epoch.held();
  let previousHash = hash;
  for (let number = 1; number <= count; number += 1) {
    const report = create(DeviceEventSchema, {
      ...{ sequence: BigInt(sequence + number), deviceEventId: randomUUID(), type: DeviceEventType.DOOR_CLOSED },
      ...{ occurredAt: timestampFromMs(clock.now()), previousHash },
    });
    await agents.reportEvents({ siteId, events: [report], ...(epoch && { epoch }) });
    previousHash = new Uint8Array(await reportHash(key.keyId, siteId, report));
  }
}

async function confirmed(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

const tokenFor = async (reservationId: string, act: Act) =>
  (await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act })).accessToken;
const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;

/** Presents a token, and uses the door that opens. */
async function open(token: string) {
  const door = await terminal.agent.present({ token });
  if (door.opened) terminal.useDoor(door);
  await until(() => terminal.store.visits().length === 0);
  return door;
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
}

/** Waits until the agent has handed over its reports, or the gateway has refused them. */
async function handedOver(): Promise<void> {
  const { outbox } = terminal.store;
  await until(() => outbox.acknowledgedSequence() === outbox.lastSequence() || terminal.store.isQuarantined());
}

const unacknowledged = () => terminal.store.outbox.after(terminal.store.outbox.acknowledgedSequence(), 100);

/** The events of the operator's feed about the agent's reports. */
async function alarms(type: EventType): Promise<Event[]> {
  const { events } = await operator.client.custody.listEvents({});
  return events.filter((event) => event.type === type && event.siteId === siteId);
}

async function sameJws({ statement, reportHash: hash }: { statement: string; reportHash: Uint8Array }, report: DeviceEvent) {
  expect(Buffer.from(await reportHash(key.keyId, siteId, report)).equals(hash)).toBe(true);
  expect(statement.split(".")[2]).toBe(Buffer.from(report.signature).toString("base64url"));
}

describe("the reports of a device whose key somebody else has", () => {
  it("are not swallowed: the fork is alarmed, and the deposit is recorded once the device has a new key", async () => {
    const reservationId = await confirmed();
    const token = await tokenFor(reservationId, Act.DEPOSIT);
    await junk(2);
    expect(await open(token)).toMatchObject({ opened: true });
    await handedOver();
    const kept = unacknowledged();
    const deposit = kept.find(({ type }) => type === DeviceEventType.PARCEL_DEPOSITED) as DeviceEvent;
    expect(deposit).toMatchObject({ reservationId });
    expect(kept[0]?.sequence).toBe(1n);
    expect(await stateOf(reservationId)).toBe(ReservationState.CONFIRMED);
    const forked = await alarms(EventType.REPORTS_FORKED);
    expect(forked[0]).toMatchObject({
      ...{ siteId, participantId: operator.participantId, isTest: true },
      reportFork: { keyId: key.keyId, sequence: 1n, acknowledgedSequence: 2n },
    });
    for (const { reportFork } of forked) {
      const report = kept.find(({ sequence }) => sequence === reportFork?.sequence) as DeviceEvent;
      await sameJws(reportFork as { statement: string; reportHash: Uint8Array }, report);
    }
    expect(network.log().filter(({ msg, key_id }) => msg === "the reports of a device have forked" && key_id === key.keyId)).not.toEqual(
      [],
    );

    // The operator ends the key, and the same device enrols again with its data.
    await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId: key.keyId });
    await terminal.restart(agentOf(await network.agentKey(operator, siteId)));
    await terminal.agent.flushed();
    expect(terminal.store.isQuarantined()).toBe(false);
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
    expect(await open(await tokenFor(reservationId, Act.COLLECT))).toMatchObject({ opened: true });
    await terminal.agent.flushed();
    expect(await stateOf(reservationId)).toBe(ReservationState.COLLECTED);
  });

  it("are found to have forked at the next boot, and none is skipped", async () => {
    const before = terminal.store.outbox.last(key.keyId);
    isOnline = false;
    const reservationId = await confirmed();
    await open(await tokenFor(reservationId, Act.DEPOSIT));
    await junk(5, before);
    isOnline = true;
    await terminal.restart();
    expect(terminal.store.isQuarantined()).toBe(true);
    expect(unacknowledged()[0]?.sequence).toBe(1n);
    expect((await alarms(EventType.REPORTS_FORKED)).map(({ reportFork }) => reportFork?.keyId)).toContain(key.keyId);
  });

  it("strand nobody's parcel: it opens for what is inside, offline too, and for no deposit", async () => {
    const [inside, later] = [await confirmed(), await confirmed()];
    await open(await tokenFor(inside, Act.DEPOSIT));
    await terminal.agent.flushed();
    const [collect, deposit] = [await tokenFor(inside, Act.COLLECT), await tokenFor(later, Act.DEPOSIT)];
    await terminal.agent.syncNow();
    await junk(1);
    await open("not a token");
    await handedOver();
    for (const isReached of [true, false]) {
      isOnline = isReached;
      expect(await open(deposit)).toMatchObject({ opened: false });
      await terminal.restart();
    }
    expect(unacknowledged().map(({ refusal }) => refusal)).toContain("SITE_OUT_OF_SERVICE");
    expect(await open(collect)).toMatchObject({ opened: true });
    // It is on disk, and not yet recorded.
    expect(unacknowledged().some(({ type }) => type === DeviceEventType.PARCEL_COLLECTED)).toBe(true);
    expect(await stateOf(inside)).toBe(ReservationState.DEPOSITED);
  });
});

describe("a store or a device of an earlier time", () => {
  it("that is the gateway's, restored from a backup: the device sends again what it still has", async () => {
    const { siteNumber = 0, region = "" } = parseSiteId(siteId) ?? {};
    const watermark = createKeys(network.shared.keyPrefix).agentWatermark(region, siteNumber, key.keyId);
    await open("one");
    await terminal.agent.flushed();
    const backup = await redis.client.getBuffer(watermark);
    const reservationId = await confirmed();
    await open(await tokenFor(reservationId, Act.DEPOSIT));
    await terminal.agent.flushed();
    const last = terminal.store.outbox.lastSequence();

    await redis.client.set(watermark, backup ?? "");
    await terminal.restart();
    // The agent takes them for acknowledged, and does not wait for them.
    const recorded = async () => Number.parseInt((await redis.client.get(watermark)) ?? "", 10);
    while ((await recorded()) < last);

    // The same once more, and the device has deleted some of them meanwhile.
    await redis.client.set(watermark, backup ?? "");
    await terminal.stop();
    const database = new DatabaseSync(terminal.storePath);
    database.exec(`DELETE FROM outbox WHERE sequence < ${last}`);
    database.close();
    await terminal.restart();
    await open("another");
    await handedOver();
    await until(() => terminal.store.outbox.acknowledgedSequence() === last + 1);
    expect(terminal.store.isQuarantined()).toBe(false);
    expect((await alarms(EventType.REPORTS_MISSING)).map(({ missingReports }) => missingReports)).toMatchObject([
      { keyId: key.keyId, firstSequence: 2n, lastSequence: BigInt(last - 1), isDevice: false },
    ]);
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
  });

  it("that is the device's: the operator hears which reports it lacks", async () => {
    const agent = await network.agentKey(operator, siteId);
    const occurredAt = timestampFromMs(clock.now());
    const [first, second] = [1n, 2n].map((sequence) => ({
      sequence,
      deviceEventId: randomUUID(),
      type: DeviceEventType.DOOR_CLOSED,
      occurredAt,
    }));
    await clientOf(agent).reportEvents({ siteId, events: [first, second] as NonNullable<typeof first>[] });
    const lastHash = new Uint8Array(await reportHash(agent.keyId, siteId, create(DeviceEventSchema, first)));
    for (const hash of [lastHash, lastHash]) await clientOf(agent).boot({ siteId, lastSequence: 1n, lastHash: hash });
    expect((await alarms(EventType.REPORTS_MISSING)).map(({ missingReports }) => missingReports)).toMatchObject([
      { keyId: agent.keyId, firstSequence: 2n, lastSequence: 2n, isDevice: true },
    ]);
    expect(await clientOf(agent).boot({ siteId, lastSequence: 2n, lastHash })).toMatchObject({
      acknowledgedSequence: 2n,
      quarantined: true,
    });
  });
});
