import { randomUUID } from "node:crypto";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { PetakClient } from "@petak/client/node";
import { Act, ConditionKind, DeviceEventType, EventType, ProofKind, ReservationState, Role } from "@petak/protocol";
import { createFrozenClock, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { beforeEach, expect, it } from "vitest";

type ReportedEvent = Parameters<Awaited<ReturnType<TestNetwork["reporterAt"]>>["report"]>[number];

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const minuteMs = 60_000;
/** Refusals of a site that a gateway records one by one in a minute. */
const recordedMax = 30;

let clock: FrozenClock;
let network: TestNetwork;
let operator: TestParticipant;
let courier: TestParticipant;
let siteId: string;

beforeEach(async () => {
  clock = createFrozenClock();
  network = await startTestNetwork({ redis, now: clock.now });
  operator = await network.join("Operator", [Role.OPERATOR]);
  courier = await network.join("Courier", [Role.COURIER]);
  siteId = await network.putSite(operator, makeSite({ latitude: 1.3, longitude: 103.8, classes: [["M", 400, 200, 500, 20_000, 3]] }));
  return () => network.stop();
});

const refused = (more: Partial<ReportedEvent> = {}): ReportedEvent => ({
  type: DeviceEventType.DOOR_REFUSED,
  refusal: "MALFORMED",
  proofKind: ProofKind.ACCESS_TOKEN,
  ...more,
});
const several = (count: number, ofMs: number): ReportedEvent =>
  refused({ refusals: { count, firstAt: timestampFromMs(clock.now() - ofMs), lastAt: timestampFromMs(clock.now()) } });

async function confirmed(): Promise<string> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel });
  const reservationId = reservation?.reservationId ?? "";
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
  return reservationId;
}

/** The refusals in the operator's feed. */
async function refusals() {
  const { events } = await operator.client.custody.listEvents({ pageSize: 1000 });
  return events.filter(({ type }) => type === EventType.DOOR_REFUSED);
}

it("a report of several refusals becomes one event that says how many, of the site or of a reservation", async () => {
  const reservationId = await confirmed();
  const { report } = await network.reporterAt(operator, siteId);
  await report(several(412, 50_000), { ...several(3, 1000), reservationId, act: Act.COLLECT, refusal: "SPENT" });
  const times = (ofMs: number) => ({ firstAt: timestampFromMs(clock.now() - ofMs), lastAt: timestampFromMs(clock.now()) });
  expect(await refusals()).toMatchObject([
    { siteId, reservationId: "", proof: { refusal: "MALFORMED" }, refusals: { count: 412, ...times(50_000) } },
    { siteId, reservationId, proof: { refusal: "SPENT" }, refusals: { count: 3, ...times(1000) } },
  ]);
  const { events, statement } = await courier.client.custody.getCustodyChain({ reservationId });
  expect(events.at(-1)?.refusals?.count).toBe(3);
  expect(statement).toBeDefined();
  // Of what is no refusal a report says nothing by it.
  await report({ ...several(9, 0), type: DeviceEventType.DOOR_OPENED, reservationId, act: Act.DEPOSIT, compartmentId: "M1" });
  const last = (await courier.client.custody.getCustodyChain({ reservationId })).events.at(-1);
  expect([last?.type, last?.refusals]).toEqual([EventType.DOOR_OPENED, undefined]);
});

it("an agent that reports each of hundreds of refusals makes thirty events of a site in a minute and one for each reason of the rest, and what happens to a parcel is recorded at once", async () => {
  const reservationId = await confirmed();
  const [one, other] = [await network.reporterAt(operator, siteId), await network.reporterAt(operator, siteId)];
  const flood = (count: number, more: Partial<ReportedEvent> = {}) => Array.from({ length: count }, () => refused(more));
  const beganMs = clock.now();
  expect(await one.report(...flood(20))).toBe(20n);
  expect(await other.report(...flood(40, { reservationId }))).toBe(40n);
  clock.advance(30_000);
  const inside = { type: DeviceEventType.PARCEL_DEPOSITED, reservationId, act: Act.DEPOSIT, proofKind: ProofKind.ACCESS_TOKEN };
  const spent = flood(10, { refusal: "SPENT" });
  expect(await one.report(...flood(50), { ...inside, compartmentId: "M1" }, ...spent)).toBe(81n);
  expect((await courier.client.reservations.getReservation({ reservationId })).reservation?.state).toBe(ReservationState.DEPOSITED);
  expect(await one.report(several(1000, 20_000))).toBe(82n);
  expect(await refusals()).toHaveLength(recordedMax);
  // The next minute's first refusal tells of the last minute.
  clock.advance(minuteMs);
  await one.report(refused());
  const events = await refusals();
  expect(events).toHaveLength(recordedMax + 3);
  const last = timestampFromMs(beganMs + 30_000);
  const told = { reservationId: "", siteId, occurredAt: last, recordedAt: timestampFromMs(clock.now()) };
  expect(events.filter(({ refusals }) => refusals !== undefined)).toMatchObject([
    {
      ...told,
      proof: { refusal: "MALFORMED", credentialHash: "", deviceSequence: 0n },
      refusals: { count: 30 + 50 + 1000, firstAt: timestampFromMs(beganMs), lastAt: last },
    },
    { ...told, proof: { refusal: "SPENT", credentialHash: "", deviceSequence: 0n }, refusals: { count: 10, firstAt: last, lastAt: last } },
  ]);
});

it("what was counted is told by the agent's next Sync if no refusal comes any more, once", async () => {
  const { agents }: { agents: PetakClient["agents"] } = network.clientFor(await network.agentSigner(operator, siteId));
  const { report } = await network.reporterAt(operator, siteId);
  await report(...Array.from({ length: recordedMax + 12 }, () => refused()));
  const counts = async () => (await refusals()).flatMap((event) => event.refusals?.count ?? []);
  await agents.sync({ siteId });
  expect(await counts()).toEqual([]);
  clock.advance(minuteMs);
  await Promise.all([agents.sync({ siteId }), agents.sync({ siteId }), agents.sync({ siteId })]);
  await expect.poll(counts).toEqual([12]);
  await report(refused());
  await expect.poll(async () => (await refusals()).length).toBe(recordedMax + 2);
  expect(await counts()).toEqual([12]);
});

it("conditions are counted with the refusals, and told by an event of each kind", async () => {
  const { report } = await network.reporterAt(operator, siteId);
  const condition = (kind: number, count = 1): ReportedEvent => ({ type: DeviceEventType.CONDITION, condition: { kind, count } as never });
  const conditions = async () => {
    const { events } = await operator.client.custody.listEvents({ pageSize: 1000 });
    return events.filter(({ type }) => type === EventType.SITE_CONDITION);
  };
  const beganMs = clock.now();
  await report(...Array.from({ length: recordedMax - 1 }, () => refused()), condition(ConditionKind.LINK_LOST));
  clock.advance(1000);
  const kinds = Array.from({ length: 60 }, (_, number) => condition(10_000 + number));
  await report(condition(ConditionKind.LINK_LOST, 5), condition(ConditionKind.LINK_LOST), refused(), ...kinds);
  expect((await conditions()).map((event) => event.siteCondition?.count)).toEqual([1]);
  clock.advance(minuteMs);
  await report(condition(ConditionKind.STORE_NEW));
  const told = await conditions();
  expect(told).toHaveLength(1 + 51 + 1);
  const at = timestampFromMs(beganMs + 1000);
  expect(told.find(({ siteCondition }) => siteCondition?.count === 6)).toMatchObject({
    ...{ siteId, reservationId: "", occurredAt: at, proof: { deviceSequence: 0n } },
    siteCondition: { kind: ConditionKind.LINK_LOST, since: at, until: at },
  });
  expect(told.find(({ siteCondition }) => siteCondition?.kind === 0)?.siteCondition?.count).toBe(11);
  expect((await refusals()).at(-1)?.refusals?.count).toBe(1);
});

it("a stolen key that reports a reason of its own for each refusal makes one event of most of them", async () => {
  const { report } = await network.reporterAt(operator, siteId);
  await report(...Array.from({ length: recordedMax }, () => refused()));
  const made = Array.from({ length: 80 }, (_, number) => refused({ refusal: number === 0 ? "__proto__" : `REASON_${number}` }));
  await report(...made);
  clock.advance(minuteMs);
  await report(refused());
  const counted = (await refusals()).filter((event) => event.refusals !== undefined);
  expect(counted).toHaveLength(51);
  expect(counted.find(({ proof }) => proof?.refusal === "")?.refusals?.count).toBe(30);
  expect(counted.find(({ proof }) => proof?.refusal === "__proto__")?.refusals?.count).toBe(1);
});
