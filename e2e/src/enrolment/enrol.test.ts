import { randomUUID } from "node:crypto";
import { createPetakClient, createRequestSigner, type PetakClient, reasonOf } from "@petak/client/node";
import { DeviceEventType, EnrolmentState, EventType, Mode, Role } from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant, testAudience } from "@petak/testkit/network";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { newCode, newDevice } from "../testing/enrolling.ts";
import { origin } from "../testing/world.ts";

const redis = useRedis();
const openedDoor = { type: DeviceEventType.DOOR_OPENED, occurredAt: { seconds: 1_800_000_000n }, compartmentId: "M-1" };
const clock = createFrozenClock(Date.now());
let network: TestNetwork;
let operator: TestParticipant;
let siteId: string;
let device: PetakClient;

beforeAll(async () => {
  network = await startTestNetwork({ redis, now: clock.now, callLimits: { failedAuthenticationsMax: 5 } });
  operator = await network.join("Operator", [Role.OPERATOR]);
  siteId = await network.putSite(operator, makeSite(origin));
  // A device has no credentials before it is enrolled.
  device = createPetakClient({ baseUrl: network.baseUrl, retry: false, timeoutMs: 60_000 });
});
afterAll(async () => {
  device.close();
  await network.stop();
});

afterEach(endDevices);

const reason = (call: Promise<unknown>) => call.then(() => "accepted", reasonOf);

/** Ends the keys of all devices of the site, so that another can be in charge. */
async function endDevices(): Promise<void> {
  const { keys } = await operator.client.participants.listKeys({ pageSize: 500 });
  const devices = keys.filter((key) => key.siteId === siteId && key.revokedAt === undefined);
  await Promise.all(devices.map(({ keyId }) => operator.client.participants.revokeKey({ requestId: randomUUID(), keyId })));
}

/** The site's enrolments as the operator sees them, newest first. */
async function listed() {
  const { enrolments } = await operator.client.participants.listEnrolments({ siteId });
  return enrolments.map(({ enrolmentId, state, keyId }) => ({ enrolmentId, state, keyId }));
}

it("a device registers its own key by a code, and boots with it", async () => {
  const { code, enrolment } = await newCode(operator, siteId);
  expect(code).toMatch(/^([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}$/);
  expect(enrolment).toMatchObject({ siteId, mode: Mode.TEST, label: "door", byKeyId: operator.signer.keyId, state: EnrolmentState.OPEN });
  const { privateJwk, request } = await newDevice(code);
  const enrolled = await device.agents.enrol({ ...request, code: code.toLowerCase().replaceAll("-", " ") });
  const { participantId, keyId, audience } = enrolled;
  expect(enrolled).toMatchObject({ participantId: operator.participantId, siteId, audience: testAudience, mode: Mode.TEST });
  expect(enrolled.trustBundle?.issuerKeys.length).toBeGreaterThan(0);
  const agent = network.clientFor(createRequestSigner({ participantId, keyId, audience, privateJwk, now: clock.now }));
  expect((await agent.agents.boot({ siteId })).site?.siteId).toBe(siteId);
  expect(await listed()).toEqual([{ enrolmentId: enrolment?.enrolmentId, state: EnrolmentState.USED, keyId }]);
  const { events } = await operator.client.custody.listEvents({});
  expect(events.at(-1)).toMatchObject({ type: EventType.KEY_REGISTERED, siteId, keyChange: { keyId, byKeyId: operator.signer.keyId } });
});

it("a device whose answer was lost gets the same one again, also after the code's hour, and nothing after its key was revoked", async () => {
  const { code } = await newCode(operator, siteId);
  const { request } = await newDevice(code);
  const first = await device.agents.enrol(request);
  clock.advance(2 * 3_600_000);
  const again = await device.agents.enrol(request);
  expect([again.keyId, again.participantId, again.siteId]).toEqual([first.keyId, first.participantId, siteId]);
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId: first.keyId });
  expect(await reason(device.agents.enrol(request))).toBe("KEY_REVOKED");
});

it("another key with the same code is refused, and the operator hears of it once", async () => {
  const { code, enrolmentId } = await newCode(operator, siteId);
  const { keyId } = await device.agents.enrol((await newDevice(code)).request);
  const thief = await newDevice(code);
  for (const _ of [1, 2]) expect(await reason(device.agents.enrol(thief.request))).toBe("ENROLMENT_CODE_USED");
  const { events } = await operator.client.custody.listEvents({});
  const alarms = events.filter(
    ({ type, enrolmentReuse }) => type === EventType.ENROLMENT_CODE_REUSED && enrolmentReuse?.enrolmentId === enrolmentId,
  );
  expect(alarms).toMatchObject([{ siteId, participantId: operator.participantId, isTest: true, enrolmentReuse: { enrolmentId, keyId } }]);
  expect(Buffer.from(alarms[0]?.enrolmentReuse?.refusedPublicKey ?? "")).toEqual(Buffer.from(thief.request.publicKey));
  clock.advance(10_000);
});

it("of two devices that use a code at once, one is enrolled", async () => {
  const { code } = await newCode(operator, siteId);
  const devices = await Promise.all([newDevice(code), newDevice(code), newDevice(code)]);
  const answers = await Promise.all(devices.map(({ request }) => reason(device.agents.enrol(request))));
  expect(answers.sort()).toEqual(["ENROLMENT_CODE_USED", "ENROLMENT_CODE_USED", "accepted"]);
  clock.advance(10_000);
});

it("one device is in charge of a site: until its key is ended no other enrols, boots or reports, and the operator hears of it", async () => {
  const byHand = await network.agentSigner(operator, siteId);
  const second = network.clientFor(byHand);
  // Where no device has enrolled, or its key is ended, any key of the site is good.
  expect(await reason(second.agents.boot({ siteId }))).toBe("accepted");
  const first = await newCode(operator, siteId);
  const { keyId } = await device.agents.enrol((await newDevice(first.code)).request);
  const { code } = await newCode(operator, siteId);
  const { request } = await newDevice(code);
  await expect(device.agents.enrol(request)).rejects.toSatisfy(
    (error) => reasonOf(error) === "AGENT_NOT_IN_CHARGE" && String(error).includes(keyId),
  );
  for (const call of [second.agents.boot({ siteId }), second.agents.sync({ siteId })])
    expect(await reason(call)).toBe("AGENT_NOT_IN_CHARGE");
  const reported = second.agents.reportEvents({ siteId, events: [{ ...openedDoor, sequence: 1n, deviceEventId: randomUUID() }] });
  expect(await reported).toMatchObject({ acknowledgedSequence: 0n, keptApartSequence: 1n });
  // A device that knows nothing yet does not wait for ever.
  const starting = network.openTerminal(operator, siteId, { cabinet: [{ compartmentId: "M-1", sizeClassId: "M" }] });
  expect(await reason(starting)).toBe("AGENT_NOT_IN_CHARGE");
  const { events } = await operator.client.custody.listEvents({});
  const alarms = events.filter(({ type }) => type === EventType.SECOND_AGENT_REFUSED);
  // One for each key, and one for the reports: the terminal has another key.
  expect(alarms).toMatchObject([
    { siteId, isTest: true, secondAgent: { keyId: byHand.keyId, inChargeKeyId: keyId } },
    { siteId, secondAgent: { keyId: byHand.keyId, inChargeKeyId: keyId, reportsKeptApart: true } },
    { siteId, secondAgent: { inChargeKeyId: keyId } },
  ]);
  await operator.client.participants.revokeKey({ requestId: randomUUID(), keyId });
  // The code was not used up.
  expect(await reason(device.agents.enrol(request))).toBe("accepted");
  expect(await reason(second.agents.boot({ siteId }))).toBe("AGENT_NOT_IN_CHARGE");
});

it("a code is good for an hour, until it is revoked, or until another is made for the site", async () => {
  clock.advance(1);
  const replaced = await newCode(operator, siteId);
  clock.advance(1);
  const revoked = await newCode(operator, siteId);
  expect(await reason(device.agents.enrol((await newDevice(replaced.code)).request))).toBe("ENROLMENT_CODE_INVALID");
  await operator.client.participants.revokeEnrolment({ requestId: randomUUID(), enrolmentId: revoked.enrolmentId });
  expect(await reason(device.agents.enrol((await newDevice(revoked.code)).request))).toBe("ENROLMENT_CODE_INVALID");
  clock.advance(1);
  const over = await newCode(operator, siteId);
  clock.advance(3_600_000);
  expect(await reason(device.agents.enrol((await newDevice(over.code)).request))).toBe("ENROLMENT_CODE_INVALID");
  expect((await listed()).slice(0, 3).map(({ state }) => state)).toEqual([
    EnrolmentState.EXPIRED,
    EnrolmentState.REVOKED,
    EnrolmentState.REVOKED,
  ]);
});

it("a code that was used is not revoked: the error names the key", async () => {
  const { code, enrolmentId } = await newCode(operator, siteId);
  const { keyId } = await device.agents.enrol((await newDevice(code)).request);
  const revoking = operator.client.participants.revokeEnrolment({ requestId: randomUUID(), enrolmentId });
  await expect(revoking).rejects.toSatisfy((error) => reasonOf(error) === "ENROLMENT_CODE_USED" && String(error).includes(keyId));
});

it("a code ends with the key that made it", async () => {
  const other = await network.join("Another operator", [Role.OPERATOR]);
  const ownSite = await network.putSite(other, makeSite(origin));
  const { code } = await newCode(other, ownSite);
  const stolen = other.signer.keyId;
  await network.admin.client.participants.revokeKey({ requestId: randomUUID(), keyId: stolen });
  expect(await reason(device.agents.enrol((await newDevice(code)).request))).toBe("ENROLMENT_CODE_INVALID");
});

it("the same request for a code gives the same code, and ends none that was made later", async () => {
  const request = { requestId: randomUUID(), siteId };
  const first = await operator.client.participants.createEnrolmentCode(request);
  expect((await operator.client.participants.createEnrolmentCode(request)).code).toBe(first.code);
  const later = await newCode(operator, siteId);
  const again = await operator.client.participants.createEnrolmentCode(request);
  expect([again.code, again.enrolment?.state]).toEqual([first.code, EnrolmentState.REVOKED]);
  expect(await reason(device.agents.enrol((await newDevice(later.code)).request))).toBe("accepted");
});

it("a key that was not proven by its own signature is not registered", async () => {
  const { code } = await newCode(operator, siteId);
  const [mine, other] = [await newDevice(code), await newDevice(code)];
  const { possessionProof } = other.request;
  expect(await reason(device.agents.enrol({ ...mine.request, possessionProof }))).toBe("KEY_POSSESSION_UNPROVEN");
  const lowOrder = new Uint8Array(32);
  expect(await reason(device.agents.enrol({ ...mine.request, publicKey: lowOrder }))).toBe("INVALID_FIELD");
  expect(await reason(device.agents.enrol(mine.request))).toBe("accepted");
  clock.advance(10_000);
});

it("an address that guesses is paced before anything is looked up, and the code is nowhere in the store", async () => {
  const { code } = await newCode(operator, siteId);
  const { request } = await newDevice(code);
  for (let tries = 0; tries < 5; tries++) {
    expect(await reason(device.agents.enrol({ ...request, code: "AAAA-AAAA-AAAA-AAAA" }))).toBe("ENROLMENT_CODE_INVALID");
  }
  expect(await reason(device.agents.enrol(request))).toBe("RATE_LIMITED");
  clock.advance(1000);
  expect(await reason(device.agents.enrol(request))).toBe("accepted");
  const plain = code.toLowerCase().replaceAll("-", "");
  for (const key of await redis.client.keys(`${redis.keyPrefix}*`)) {
    const type = await redis.client.type(key);
    const value = type === "string" ? await redis.client.get(key) : type === "hash" ? JSON.stringify(await redis.client.hgetall(key)) : "";
    expect([key, value].join(" ").toLowerCase().replaceAll("-", "")).not.toContain(plain);
  }
});
