import { randomUUID } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { reasonOf } from "@petak/client/node";
import { DeviceEventType, EventType, ReservationState, Role } from "@petak/protocol";
import { reportsApartMax } from "@petak/records";
import { createFrozenClock, useRedis } from "@petak/testkit";
import type { TestNetwork, TestParticipant } from "@petak/testkit/network";
import { beforeEach, expect, it } from "vitest";
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

beforeEach(async () => {
  ({ network, operator, courier, siteId } = site);
});

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

async function newAgent() {
  const signer = await network.agentSigner(operator, siteId);
  return { keyId: signer.keyId, client: network.clientFor(signer, { retry: false }).agents };
}

const stateOf = async (reservationId: string) => (await courier.client.reservations.getReservation({ reservationId })).reservation?.state;

/** What is kept apart of the site, once there are so many. */
async function keptApart(count: number) {
  for (;;) {
    const { reports } = await operator.client.participants.listReportsKeptApart({ siteId });
    if (reports.length >= count) return reports;
  }
}

async function alarms() {
  const { events } = await operator.client.custody.listEvents({ pageSize: 500 });
  return events
    .filter((event) => event.type === EventType.SECOND_AGENT_REFUSED && event.siteId === siteId && event.secondAgent?.reportsKeptApart)
    .map(({ secondAgent }) => secondAgent);
}

it("what a replaced device saw is kept apart and told, moves no custody, and is not told again by each of its calls", async () => {
  const { keyId, client } = await newAgent();
  const old = await network.openTerminal(operator, siteId, { cabinet, client, storePath: newDisk() });
  const { reservationId, token } = await toDeposit();
  await old.agent.syncNow();
  const opened = await old.agent.present({ token });
  // That the door was opened is reported by a key that still holds.
  await old.agent.flushed();
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId });
  if (opened.opened) old.useDoor(opened);
  await old.restart();
  const reports = await keptApart(2);
  expect(reports.map(({ event, ...facts }) => [event?.type, event?.reservationId, facts.keyId, facts.reason])).toEqual(
    [DeviceEventType.DOOR_CLOSED, DeviceEventType.PARCEL_DEPOSITED].map((type) => [type, reservationId, keyId, "KEY_REVOKED"]),
  );
  expect(await stateOf(reservationId)).toBe(ReservationState.CONFIRMED);
  await old.restart();
  expect(await alarms()).toMatchObject([{ keyId, inChargeKeyId: "", currentEpoch: 0 }]);
  // It keeps them too, for a key with which it is in charge again.
  expect(old.store.outbox.acknowledgedSequence()).toBeLessThan(old.store.outbox.lastSequence());
  for (const call of [client.boot({ siteId }), client.sync({ siteId })]) expect(await reason(call)).toBe("KEY_REVOKED");
});

it("what a copied disk saw is kept apart, and counts once the operator lets its device go on", async () => {
  const { keyId, client } = await newAgent();
  const [disk, copy] = [newDisk(), newDisk()];
  const original = await network.openTerminal(operator, siteId, { cabinet, client, storePath: disk });
  const { reservationId, token } = await toDeposit();
  await original.agent.syncNow();
  const opened = await original.agent.present({ token });
  await original.agent.flushed();
  await original.stop();
  await copyFile(disk, copy);
  const other = await network.openTerminal(operator, siteId, { cabinet, client, storePath: copy });
  await other.agent.syncNow();
  await original.restart();
  if (opened.opened) original.useDoor(opened);
  const reports = await keptApart(2);
  expect(reports.every((report) => report.keyId === keyId && report.reason === "AGENT_EPOCH_STALE" && report.epoch === 1)).toBe(true);
  expect(await stateOf(reservationId)).toBe(ReservationState.CONFIRMED);
  expect(await alarms()).toMatchObject([{ keyId, inChargeKeyId: keyId, heldEpoch: 1, currentEpoch: 2 }]);
  await operator.client.participants.takeOverSite({ requestId: randomUUID(), siteId, keyId, heldEpoch: 1 });
  await original.agent.syncNow();
  await original.agent.flushed();
  expect(await stateOf(reservationId)).toBe(ReservationState.DEPOSITED);
});

it("a key in wrong hands fills no store: beyond what is kept of a site the device is refused, and what has a wrong signature always", async () => {
  const { keyId, client } = await newAgent();
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId });
  const report = (sequence: number) => ({
    type: DeviceEventType.DOOR_OPENED,
    occurredAt: { seconds: 1_800_000_000n },
    sequence: BigInt(sequence),
    deviceEventId: randomUUID(),
  });
  const send = (from: number) => reason(client.reportEvents({ siteId, events: Array.from({ length: 100 }, (_, at) => report(from + at)) }));
  for (let from = 1; from <= reportsApartMax; from += 100) expect(await send(from)).toBe("accepted");
  expect(await send(reportsApartMax + 1)).toBe("KEY_REVOKED");
  expect((await keptApart(reportsApartMax)).length).toBe(reportsApartMax);
  const forged = { ...report(1), signature: new Uint8Array(64) };
  expect(await reason(client.reportEvents({ siteId, events: [{ ...forged, signature: new Uint8Array(64).fill(1) }] }))).toBe(
    "REPORT_SIGNATURE_INVALID",
  );
  const stranger = await network.join("Another operator", [Role.OPERATOR]);
  expect(await reason(stranger.client.participants.listReportsKeptApart({ siteId }))).toBe("SITE_NOT_FOUND");
});
