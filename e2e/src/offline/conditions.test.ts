import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { AgentOptions } from "@petak/agent";
import { createSimulatedTerminal } from "@petak/agent/simulation";
import { createRequestSigner, type RequestSigner } from "@petak/client/node";
import {
  Act,
  ConditionKind,
  type DeviceEvent,
  type DeviceEventSchema,
  DeviceEventType,
  type Event,
  EventType,
  PartyKind,
  reasonOf,
} from "@petak/protocol";
import { tempDir, useRedis } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { signedReport } from "../testing/good-requests.ts";
import { dayMs, hourMs, minuteMs, type OfflineNetwork, parcels, startOfflineNetwork } from "./offline-network.ts";
import type { RoughTerminal } from "./rough-terminal.ts";
import { useDisks } from "./use-disks.ts";

const { CLOCK_CORRECTED, LINK_LOST, OUTBOX_FULL, STORAGE_FAILED, STORE_NEW } = ConditionKind;
const redis = useRedis();
const disks = useDisks();
let around: OfflineNetwork;
let terminal: RoughTerminal;

beforeEach(async () => {
  around = await startOfflineNetwork(redis, { keyPrefix: redis.keyPrefix, sites: 1, disks });
  [terminal] = around.terminals as [RoughTerminal];
  return () => around.stop();
});

async function conditionsOf({ client }: TestParticipant): Promise<Event[]> {
  const { events } = await client.custody.listEvents({ pageSize: 1000 });
  return events.filter(({ type }) => type === EventType.SITE_CONDITION);
}

/** The events for the operator about conditions, once there are as many. */
async function told(count: number) {
  const events = await vi.waitFor(
    async () => {
      const found = await conditionsOf(around.operator);
      expect(found).toHaveLength(count);
      return found;
    },
    { timeout: 60_000, interval: 50 },
  );
  return events.map((event) => {
    const { siteCondition } = event;
    if (siteCondition === undefined) throw new Error("the event says nothing");
    const { kind, count: times, parcels: taken } = siteCondition;
    const isAlarm = event.proof?.deviceSequence === 0n;
    const [sinceMs, untilMs] = [siteCondition.since, siteCondition.until].map((time) => time && timestampMs(time));
    return { event, kind, isAlarm, times, parcels: taken, sinceMs, untilMs, aheadMs: Number(siteCondition.clockAheadMs) };
  });
}

/** Lets the agent find out how its disk is. */
async function comeToTheDoor(): Promise<void> {
  await terminal.present({ token: "nothing" });
}

describe("what is wrong with a device is an event for its operator", () => {
  it("a clock that was wrong by a year, and the days without its gateway, each as one signed report", async () => {
    const { clock } = around;
    await terminal.running.agent.syncNow();
    const cutAtMs = clock.now();
    terminal.isLinkCut = true;
    await around.pass(2 * dayMs);
    await terminal.running.agent.syncNow().catch(() => undefined);
    terminal.wrongMs = 365 * dayMs;
    await terminal.cutPower();
    await around.pass(hourMs);
    terminal.isLinkCut = false;
    await terminal.running.agent.syncNow();
    await terminal.running.agent.flushed();

    const found = await told(2);
    expect(found).toMatchObject([
      { kind: CLOCK_CORRECTED, isAlarm: false, times: 1 },
      { kind: LINK_LOST, isAlarm: false, times: 1 },
    ]);
    const [wrong, lost] = found;
    expect(Math.abs((wrong?.aheadMs ?? 0) - 365 * dayMs)).toBeLessThan(minuteMs);
    // To about ten minutes after a restart.
    expect(Math.abs((lost?.sinceMs ?? 0) - cutAtMs)).toBeLessThanOrEqual(11 * minuteMs);
    expect(Math.abs((lost?.untilMs ?? 0) - cutAtMs - 2 * dayMs - hourMs)).toBeLessThan(minuteMs);
    for (const { event } of found) {
      expect(event).toMatchObject({ siteId: terminal.siteId, reservationId: "", actor: { kind: PartyKind.AGENT } });
      expect(event.proof?.deviceSequence).toBeGreaterThan(0n);
    }
    expect(await conditionsOf(around.courier)).toEqual([]);
  });

  it("an outage of less than an hour is none", async () => {
    await terminal.running.agent.syncNow();
    terminal.isLinkCut = true;
    await around.pass(50 * minuteMs);
    await terminal.running.agent.syncNow().catch(() => undefined);
    terminal.isLinkCut = false;
    await terminal.running.agent.syncNow();
    await terminal.running.agent.flushed();
    expect(await conditionsOf(around.operator)).toEqual([]);
  });

  it("a full disk at once, although nobody comes to the door and nothing can be written, and when it is over", async () => {
    await terminal.running.agent.syncNow();
    terminal.isDiskFull = true;
    await around.pass(30 * minuteMs);
    await terminal.running.agent.syncNow().catch(() => undefined);
    const [alarm] = await told(1);
    expect(alarm).toMatchObject({ kind: STORAGE_FAILED, isAlarm: true, sinceMs: undefined, event: { siteId: terminal.siteId } });
    expect(alarm?.event.proof?.agentKeyId).not.toBe("");

    // Of a call that is under way while the gateway's clock is moved, the agent would learn that its own is behind.
    await terminal.running.agent.syncNow().catch(() => undefined);
    await around.pass(3 * hourMs);
    terminal.isDiskFull = false;
    await comeToTheDoor();
    const [, over] = await told(2);
    expect(over).toMatchObject({ kind: STORAGE_FAILED, isAlarm: false, times: 1 });
    expect((over?.untilMs ?? 0) - (over?.sinceMs ?? 0)).toBeGreaterThanOrEqual(3 * hourMs);
    expect(await conditionsOf(around.courier)).toEqual([]);
  });

  it("a disk that fails and recovers all night is counted, and told once an hour", async () => {
    await terminal.running.agent.syncNow();
    const begunAtMs = around.clock.now();
    const fail = async () => {
      terminal.isDiskFull = true;
      await comeToTheDoor();
      await around.pass(minuteMs);
      terminal.isDiskFull = false;
      await comeToTheDoor();
    };
    for (let times = 0; times < 8; times += 1) await fail();
    await terminal.running.agent.flushed();
    // The first one is told, and the alarm of it. The others are counted.
    expect(await told(2)).toMatchObject([{ isAlarm: true }, { isAlarm: false, times: 1 }]);
    await around.pass(hourMs);
    await terminal.running.agent.syncNow();
    await terminal.running.agent.flushed();
    const [, , counted] = await told(3);
    expect(counted).toMatchObject({ kind: STORAGE_FAILED, isAlarm: false });
    expect(counted?.times).toBeGreaterThan(1);
    expect(counted?.sinceMs).toBeGreaterThan(begunAtMs);
    expect(counted?.untilMs).toBeLessThan(around.clock.now());
  });
});

it("a device that starts on a new store tells its operator, with the parcels that it took over, and when its reports are too many", async () => {
  const { network, operator, courier } = around;
  const { siteId } = terminal;
  const cabinet = [
    { compartmentId: "S1", sizeClassId: "S" },
    { compartmentId: "L1", sizeClassId: "L" },
  ];
  await terminal.stop();
  const reportKey = await network.agentKey(operator, siteId);
  const path = join(await tempDir(), "agent.db");
  const { agents } = network.clientFor(createRequestSigner(reportKey));
  const options = { siteId, client: agents, reportKey, storePath: path, cabinet, testClock: around.clock, refusalMs: 0 };
  const first = createSimulatedTerminal(options);
  await first.start();
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel: parcels.S });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  const asked = { requestId: randomUUID(), reservationId, act: Act.DEPOSIT };
  const { accessToken } = await courier.client.reservations.issueCredential(asked);
  expect(await first.visit({ token: accessToken })).toMatchObject({ opened: true });
  expect(await conditionsOf(operator)).toEqual([]);
  await first.stop();
  for (const suffix of ["", "-wal"]) await rm(`${path}${suffix}`, { force: true });
  // Its epoch went with the disk.
  await operator.client.participants.takeOverSite({ requestId: randomUUID(), siteId, keyId: reportKey.keyId, heldEpoch: 0 });

  let areReportsRefused = false;
  const reportEvents: AgentOptions["client"]["reportEvents"] = (request, calling) =>
    areReportsRefused && request.events?.length ? Promise.reject(new Error("not now")) : agents.reportEvents(request, calling);
  const client = { boot: agents.boot, sync: agents.sync, reportEvents };
  const second = createSimulatedTerminal({ ...options, client, unsentReportsMax: 20 });
  await second.start();
  await second.agent.flushed();
  expect(await told(1)).toMatchObject([{ kind: STORE_NEW, isAlarm: false, parcels: 1 }]);

  // Whose reports nobody takes tells of that too.
  areReportsRefused = true;
  for (let report = 0; report < 18; report += 1)
    second.store.outbox.append({ type: DeviceEventType.DOOR_REFUSED, refusal: "MALFORMED" }, around.clock.now());
  await second.agent.present({ token: "nothing" });
  expect((await told(2))[1]).toMatchObject({ kind: OUTBOX_FULL, isAlarm: true });
  areReportsRefused = false;
  await around.pass(minuteMs);
  await second.agent.flushed();
  await second.agent.syncNow();
  await second.agent.flushed();
  expect((await told(3))[2]).toMatchObject({ kind: OUTBOX_FULL, isAlarm: false });
  await second.stop();
});

/** The first report of a key. */
async function reportOf(signer: RequestSigner, content: MessageInitShape<typeof DeviceEventSchema>): Promise<DeviceEvent> {
  const occurredAt = timestampFromMs(around.clock.now());
  return await signedReport(signer, terminal.siteId, { ...content, sequence: 1n, deviceEventId: randomUUID(), occurredAt });
}

describe("a gateway that is told of conditions", () => {
  it("makes one event a day of a kind, whatever a device sends, and none for another site or beside reports", async () => {
    const { network, operator, clock, pass } = around;
    const { siteId } = terminal;
    // Noon, so that no day ends meanwhile.
    await pass(dayMs - (clock.now() % dayMs) + dayMs / 2);
    const signer = createRequestSigner(await network.agentKey(operator, siteId));
    const { agents } = network.clientFor(signer, { retry: false });
    for (let calls = 0; calls < 5; calls += 1) await agents.reportEvents({ siteId, alarms: [ConditionKind.STORE_DAMAGED] });
    expect(await told(1)).toMatchObject([{ kind: ConditionKind.STORE_DAMAGED, isAlarm: true }]);
    await pass(dayMs);
    await agents.reportEvents({ siteId, alarms: [ConditionKind.STORE_DAMAGED] });
    await told(2);

    const report = await reportOf(signer, { type: DeviceEventType.DOOR_CLOSED });
    const refusals = [
      { siteId: "site_836520_xd17xe3s50000009", alarms: [STORAGE_FAILED] },
      { siteId },
      { siteId, alarms: [STORAGE_FAILED], events: [report] },
      { siteId, alarms: [99 as ConditionKind] },
    ].map((request) => agents.reportEvents(request).then(() => "taken", reasonOf));
    expect(await Promise.all(refusals)).toEqual(["AGENT_SITE_MISMATCH", "INVALID_FIELD", "INVALID_FIELD", "INVALID_FIELD"]);
    await told(2);
  });

  it("records one that it does not know, and nothing of a reservation that it names", async () => {
    const { network, operator, courier } = around;
    const { siteId } = terminal;
    const place = { case: "siteId", value: siteId } as const;
    const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel: parcels.S });
    const reservationId = reservation?.reservationId ?? "";
    const signer = createRequestSigner(await network.agentKey(operator, siteId));
    const { agents } = network.clientFor(signer, { retry: false });
    const content = { type: DeviceEventType.CONDITION, reservationId, condition: { kind: 99 as ConditionKind, count: 2 } };
    await agents.reportEvents({ siteId, events: [await reportOf(signer, content)] });
    expect(await told(1)).toMatchObject([{ kind: 99, times: 2, isAlarm: false, event: { reservationId: "" } }]);
    const { events } = await courier.client.custody.getCustodyChain({ reservationId });
    expect(events.map(({ type }) => type)).toEqual([EventType.RESERVATION_HELD]);
    expect(await conditionsOf(courier)).toEqual([]);
  });
});
