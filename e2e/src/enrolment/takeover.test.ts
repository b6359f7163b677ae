import { randomUUID } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { LastReport } from "@petak/agent";
import { createRequestSigner, type PetakClient, reasonOf } from "@petak/client/node";
import { reportHash } from "@petak/credential";
import {
  type AgentEpoch,
  DeviceEventSchema,
  DeviceEventType,
  EventType,
  parseSiteId,
  ReportEventsResponseSchema,
  ReservationState,
} from "@petak/protocol";
import { createKeys } from "@petak/redis";
import { createFrozenClock, useRedis } from "@petak/testkit";
import type { TestKey, TestNetwork, TestParticipant } from "@petak/testkit/network";
import { beforeEach, describe, expect, it } from "vitest";
import { useAgentSite } from "./agent-site.ts";

const redis = useRedis();
const clock = createFrozenClock(Date.now());
const site = useAgentSite(redis, clock);
const { newDisk, toDeposit } = site;
const cabinet = [1, 2].map((number) => ({ compartmentId: `M-${number}`, sizeClassId: "M" }));
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let key: TestKey;
let keyId: string;
let client: PetakClient["agents"];

beforeEach(async () => {
  ({ network, operator, courier, siteId } = site);
  key = await network.agentKey(operator, siteId);
  keyId = key.keyId;
  client = agentOf(key).client;
});

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);
/** What an agent needs to call and to sign its reports with a key. */
const agentOf = (withKey: TestKey) => ({
  client: network.clientFor(createRequestSigner({ ...withKey, now: clock.now }), { retry: false }).agents,
  reportKey: { keyId: withKey.keyId, privateJwk: withKey.privateJwk },
});
const open = (storePath: string) => network.openTerminal(operator, siteId, { cabinet, storePath, ...agentOf(key) });
const takeOver = (heldEpoch: number) => operator.client.participants.takeOverSite({ requestId: randomUUID(), siteId, keyId, heldEpoch });

const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;

async function alarms(type: EventType) {
  const { events } = await operator.client.custody.listEvents({ pageSize: 500 });
  return events.filter((event) => event.type === type && event.siteId === siteId);
}

/** Reports of somebody else with the device's key and an epoch of it, each in a call, after one with a number and a hash. Returns the last answer. */
async function reportOther(
  { number: epochNumber, nonce }: Pick<AgentEpoch, "number" | "nonce">,
  { sequence, hash }: LastReport,
  count: number,
) {
  const epoch = { number: epochNumber, nonce: new Uint8Array(nonce) };
  let previousHash = hash;
  let answer = create(ReportEventsResponseSchema);
  for (let number = 1; number <= count; number += 1) {
    const report = create(DeviceEventSchema, {
      ...{ sequence: BigInt(sequence + number), deviceEventId: randomUUID(), type: DeviceEventType.DOOR_CLOSED, previousHash },
      occurredAt: timestampFromMs(clock.now()),
    });
    answer = await client.reportEvents({ siteId, events: [report], epoch });
    previousHash = new Uint8Array(await reportHash(keyId, siteId, report));
  }
  return answer;
}

describe("a takeover while the reports of a key contradict each other", () => {
  it("goes on after what the copy has reported, with all that the device saw, though it never heard that it was refused", async () => {
    const terminal = await open(newDisk());
    const { reservationId, token } = await toDeposit();
    await terminal.agent.syncNow();
    const held = terminal.store.epoch.held();
    const opened = await terminal.agent.present({ token });
    await terminal.agent.flushed();
    const last = terminal.store.outbox.last(keyId);
    // A copy of its disk starts and reports, while the device is offline and sees a parcel go in.
    await terminal.stop();
    const bootNonce = new Uint8Array(16).fill(7);
    await client.boot({ siteId, bootNonce, processNonce: bootNonce, ...(held && { heldEpoch: held }) });
    const copy = { number: 2, nonce: bootNonce };
    expect(await reportOther(copy, last, 4)).toMatchObject({ acknowledgedSequence: BigInt(last.sequence + 4) });
    await takeOver(1);
    await terminal.restart();
    if (opened.opened) terminal.useDoor(opened);
    await terminal.agent.flushed();
    expect(terminal.store.isQuarantined()).toBe(false);
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
    expect(await reportOther(copy, last, 1)).toMatchObject({ keptApartSequence: BigInt(last.sequence + 1) });
    expect((await alarms(EventType.SECOND_AGENT_REFUSED)).map(({ secondAgent }) => secondAgent?.reportsKeptApart)).toContain(true);
  });

  it("of the same epoch too: both alarms ring, nothing is lost, and the key ends for all that", async () => {
    const terminal = await open(newDisk());
    const { reservationId, token } = await toDeposit();
    await terminal.agent.syncNow();
    const [held, last] = [terminal.store.epoch.held(), terminal.store.outbox.last(keyId)];
    if (held === undefined) throw new Error("the agent has no epoch");
    // Somebody has a copy of its disk from just now, reports with its epoch, and starts.
    await reportOther(held, last, 2);
    const opened = await terminal.agent.present({ token });
    if (opened.opened) terminal.useDoor(opened);
    while (!terminal.store.isQuarantined()) await new Promise((resolve) => setImmediate(resolve));
    const bootNonce = new Uint8Array(16).fill(8);
    await client.boot({ siteId, bootNonce, processNonce: bootNonce, heldEpoch: held });
    expect(await reason(terminal.agent.syncNow())).toBe("AGENT_EPOCH_STALE");
    await takeOver(held.number);
    await terminal.agent.syncNow();
    expect(terminal.store.isQuarantined()).toBe(true);
    expect(await stateOf(reservationId)).toBe(ReservationState.CONFIRMED);
    for (const type of [EventType.SECOND_AGENT_REFUSED, EventType.REPORTS_FORKED]) expect(await alarms(type)).not.toEqual([]);
    await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId });
    await terminal.restart(agentOf(await network.agentKey(operator, siteId)));
    await terminal.agent.flushed();
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
  });
});

describe("a store that was restored from a backup", () => {
  it("lets devices go on that have started since, without a word of their operator and an alarm, and none that started before", async () => {
    const { siteNumber = 0, region = "" } = parseSiteId(siteId) ?? {};
    const lease = createKeys(network.shared.keyPrefix).agentLease(region, siteNumber, keyId);
    const [disk, copy] = [newDisk(), newDisk()];
    const terminal = await open(disk);
    const backup = await redis.client.dumpBuffer(lease);
    await terminal.stop();
    await copyFile(disk, copy);
    clock.advance(1000);
    for (const _ of [1, 2]) await terminal.restart();
    const { reservationId, token } = await toDeposit();
    await redis.client.restore(lease, 0, backup ?? "", "REPLACE");
    clock.advance(1000);
    // It was in charge when the backup was made, and is not any more once the device has called.
    await terminal.agent.syncNow();
    expect(await terminal.visit({ token })).toMatchObject({ opened: true });
    expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
    expect(await alarms(EventType.SECOND_AGENT_REFUSED)).toEqual([]);
    expect(terminal.store.epoch.held()?.number).toBe(1003);
    const thief = await open(copy);
    expect(await reason(thief.agent.syncNow())).toBe("AGENT_EPOCH_STALE");
    expect(await reason(terminal.agent.syncNow())).toBe("accepted");
    await terminal.restart();
    expect(await reason(terminal.agent.syncNow())).toBe("accepted");
  });
});
