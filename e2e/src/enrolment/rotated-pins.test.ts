import { randomUUID } from "node:crypto";
import type { PetakClient } from "@petak/client/node";
import { Act, type Event, EventType, ProofKind, ReservationState, Role } from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { origin, parcel } from "../testing/world.ts";

const redis = useRedis();
const clock = createFrozenClock(Date.now());
const cabinet = [1, 2, 3, 4].map((number) => ({ compartmentId: `M-${number}`, sizeClassId: "M" }));
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;
let keyId: string;
let agents: PetakClient["agents"];
let terminal: Awaited<ReturnType<TestNetwork["openTerminal"]>>;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
});
afterAll(() => network.stop());
beforeEach(async () => {
  siteId = await network.putSite(operator, makeSite(origin, { operatorSiteRef: randomUUID() }));
  const signer = await network.agentSigner(operator, siteId);
  keyId = signer.keyId;
  agents = network.clientFor(signer, { retry: false }).agents;
  terminal = await network.openTerminal(operator, siteId, { cabinet, client: agents });
});

/** A parcel inside. */
async function deposited(): Promise<string> {
  const { reservations } = courier.client;
  const { reservation } = await reservations.reserve({ requestId: randomUUID(), place: { case: "siteId", value: siteId }, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await reservations.confirm({ requestId: randomUUID(), reservationId });
  const { accessToken } = await reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.DEPOSIT });
  await terminal.agent.syncNow();
  expect(await terminal.visit({ token: accessToken })).toMatchObject({ opened: true });
  return reservationId;
}

const pinOf = async (reservationId: string) =>
  await courier.client.reservations.issueCredential({ requestId: randomUUID(), reservationId, act: Act.COLLECT, withPin: true });
const bundlePinOf = async (bundleId: string) =>
  (await courier.client.reservations.issueBundleCredential({ requestId: randomUUID(), bundleId, withPin: true })).pin;
const rotate = async () => await operator.client.participants.rotatePins({ requestId: randomUUID(), siteId });

/** What the courier has heard of ended PINs at the site. */
async function ended(): Promise<Event[]> {
  const { events } = await courier.client.custody.listEvents({ pageSize: 500 });
  return events.filter((event) => event.type === EventType.PIN_ENDED && event.siteId === siteId);
}

it("after a rotation old PINs open nothing, new ones and tokens do, and custody by a new PIN is believed", async () => {
  const [first, second] = [await deposited(), await deposited()];
  const [old, oldWithToken] = [await pinOf(first), await pinOf(second)];
  await terminal.agent.syncNow();
  expect(await rotate()).toMatchObject({ endedPins: 2 });
  await terminal.agent.syncNow();
  expect(await terminal.agent.present({ pin: old.pin })).toEqual({ opened: false, refusal: "NOT_ACCEPTED" });
  const heard = await ended();
  expect(heard.map(({ reservationId }) => reservationId).sort()).toEqual([first, second].sort());
  expect(heard[0]).toMatchObject({ proof: { kind: ProofKind.PIN, credentialHash: "" }, actor: { participantId: operator.participantId } });
  const fresh = await pinOf(first);
  expect(fresh.pin).not.toBe(old.pin);
  await terminal.agent.syncNow();
  expect(await terminal.visit({ pin: fresh.pin })).toMatchObject({ opened: true, act: Act.COLLECT });
  expect(await terminal.visit({ token: oldWithToken.accessToken })).toMatchObject({ opened: true, act: Act.COLLECT });
  for (const reservationId of [first, second]) {
    const { reservation } = await courier.client.reservations.getReservation({ reservationId });
    expect(reservation?.state).toBe(ReservationState.COLLECTED);
  }
});

it("the PIN of a bundle ends with the others, each of its parcels' holders hears of it, and a new one opens", async () => {
  const reservationIds = [await deposited(), await deposited()];
  const { bundle } = await courier.client.reservations.putBundle({ requestId: randomUUID(), reservationIds });
  const bundleId = bundle?.bundleId ?? "";
  const old = await bundlePinOf(bundleId);
  await terminal.agent.syncNow();
  expect(await rotate()).toMatchObject({ endedPins: 1 });
  await terminal.agent.syncNow();
  expect(await terminal.agent.present({ pin: old })).toMatchObject({ opened: false });
  expect((await ended()).map((event) => event.bundleId)).toEqual([bundleId, bundleId]);
  const fresh = await bundlePinOf(bundleId);
  await terminal.agent.syncNow();
  expect(await terminal.visit({ pin: fresh })).toMatchObject({ opened: true, doorsToCome: 1 });
});

it("the same request rotates once, and a PIN that is issued beside rotations is of the key that the agent gets", async () => {
  const reservationId = await deposited();
  await pinOf(reservationId);
  const request = { requestId: randomUUID(), siteId };
  for (const _ of [1, 2]) expect(await operator.client.participants.rotatePins(request)).toMatchObject({ endedPins: 1 });
  const fresh = await pinOf(reservationId);
  expect(await operator.client.participants.rotatePins(request)).toMatchObject({ endedPins: 1 });
  await terminal.agent.syncNow();
  await Promise.all([pinOf(reservationId), rotate(), pinOf(reservationId), rotate(), pinOf(reservationId)]);
  await terminal.agent.syncNow();
  expect(await terminal.agent.present({ pin: fresh.pin })).toMatchObject({ opened: false });
  const last = await pinOf(reservationId);
  await terminal.agent.syncNow();
  expect(await terminal.visit({ pin: last.pin })).toMatchObject({ opened: true });
});

it("a key that is revoked takes the PINs of its site with it, so that its successor gets another key", async () => {
  const reservationId = await deposited();
  const old = await pinOf(reservationId);
  await terminal.agent.syncNow();
  const stolen = Buffer.from(terminal.store.pinKey() ?? "");
  await terminal.stop();
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId });
  expect(await ended()).toMatchObject([{ reservationId }]);
  const successor = await network.openTerminal(operator, siteId, { cabinet });
  expect(Buffer.from(successor.store.pinKey() ?? "")).not.toEqual(stolen);
  expect(await successor.agent.present({ pin: old.pin })).toMatchObject({ opened: false });
});

it("a key that was never told the site's key for PINs ends none of them, and one that was told an earlier one neither", async () => {
  const reservationId = await deposited();
  const { pin } = await pinOf(reservationId);
  const revoke = (id: string) => operator.client.participants.revokeKey({ requestId: randomUUID(), keyId: id });
  await revoke((await network.agentKey(operator, siteId)).keyId);
  const former = await network.agentSigner(operator, siteId);
  await network.clientFor(former, { retry: false }).agents.sync({ siteId });
  await rotate();
  await revoke(former.keyId);
  const fresh = await pinOf(reservationId);
  const revoked = await network.agentSigner(operator, siteId);
  await revoke(revoked.keyId);
  await terminal.agent.syncNow();
  expect(await terminal.agent.present({ pin })).toMatchObject({ opened: false });
  expect(await terminal.visit({ pin: fresh.pin })).toMatchObject({ opened: true });
  expect(await ended()).toHaveLength(1);
});

it("a key that has heard of the site's key for PINs by Sync alone ends them", async () => {
  const reservationId = await deposited();
  await pinOf(reservationId);
  const thief = await network.agentSigner(operator, siteId);
  const { pinKey } = await network.clientFor(thief, { retry: false }).agents.sync({ siteId });
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId: thief.keyId });
  expect(await ended()).toMatchObject([{ reservationId }]);
  await terminal.agent.syncNow();
  expect(Buffer.from(terminal.store.pinKey() ?? "")).not.toEqual(Buffer.from(pinKey));
});
