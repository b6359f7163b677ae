import { randomUUID } from "node:crypto";
import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, regionOfCell } from "@petak/allocator";
import {
  CancellationReason,
  DeviceEventType,
  type ListReservationsRequestSchema,
  type Reservation,
  ReservationState,
  Role,
  reasonOf,
} from "@petak/protocol";
import type { RedisAddress } from "@petak/redis";
import { createFrozenClock, createRandom, type FrozenClock, makeSite, startTestCluster, testSeed, useRedis } from "@petak/testkit";
import { type SiteReporter, startTestNetwork, type TestNetwork, type TestParticipant } from "@petak/testkit/network";
import { describe, expect, it, onTestFinished } from "vitest";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 200]];
/** Positions in three regions. */
const places = [
  { latitude: 1.3, longitude: 103.8 },
  { latitude: 2.9, longitude: 101.7 },
  { latitude: 5.4, longitude: 100.3 },
];

type Question = Omit<MessageInitShape<typeof ListReservationsRequestSchema>, "$typeName" | "cursor" | "pageSize">;
type Report = (type: DeviceEventType, reservationId: string, siteId: string) => Promise<void>;

interface World {
  clock: FrozenClock;
  network: TestNetwork;
  couriers: TestParticipant[];
  operators: TestParticipant[];
  /** The first two belong to the first operator, the third to the second. */
  siteIds: string[];
  report: Report;
}

async function startWorld(store: { address: RedisAddress; keyPrefix?: string } = redis): Promise<World> {
  const clock = createFrozenClock(Math.floor(Date.now() / 1000) * 1000);
  const network = await startTestNetwork({ redis: store, now: clock.now, sweepIntervalMs: 20 });
  onTestFinished(() => network.stop());
  const operators = [await network.join("Operator", [Role.OPERATOR]), await network.join("Rival", [Role.OPERATOR])];
  const couriers = [await network.join("Courier", [Role.COURIER]), await network.join("Other", [Role.COURIER])];
  const siteIds: string[] = [];
  const agents = new Map<string, SiteReporter>();
  for (const [index, place] of places.entries()) {
    const operator = operators[index === 2 ? 1 : 0] as TestParticipant;
    const site = makeSite({ ...place, ref: `site-${index}`, classes });
    const siteId = await network.putSite(operator, site);
    siteIds.push(siteId);
    agents.set(siteId, await network.reporterAt(operator, siteId));
  }
  const report: Report = async (type, reservationId, siteId) => {
    const agent = agents.get(siteId);
    if (agent === undefined) throw new Error(`no agent at ${siteId}`);
    await agent.report({ type, reservationId });
  };
  return { clock, network, couriers, operators, siteIds, report };
}

async function hold(courier: TestParticipant, siteId: string, partnerReference = ""): Promise<Reservation> {
  const place = { case: "siteId", value: siteId } as const;
  const { reservation } = await courier.client.reservations.reserve({ requestId: randomUUID(), place, parcel, partnerReference });
  return reservation as Reservation;
}

async function confirm(courier: TestParticipant, { reservationId }: Reservation): Promise<void> {
  await courier.client.reservations.confirm({ requestId: randomUUID(), reservationId });
}

/** Reads all pages, and calls `between` between any two of them. */
async function listAll(by: TestParticipant, question: Question, pageSize: number, between: () => Promise<void> = async () => {}) {
  const found: Reservation[] = [];
  let pages = 0;
  for (let cursor = ""; ; ) {
    const page = await by.client.reservations.listReservations({ ...question, pageSize, cursor });
    expect(page.reservations.length).toBeLessThanOrEqual(pageSize);
    found.push(...page.reservations);
    pages++;
    cursor = page.nextCursor;
    if (cursor === "") return { found, pages };
    await between();
  }
}

const idsOf = (reservations: readonly Reservation[]) => reservations.map(({ reservationId }) => reservationId);

async function readAll(by: TestParticipant, ids: readonly string[]): Promise<Reservation[]> {
  const read = await Promise.all(ids.map((reservationId) => by.client.reservations.getReservation({ reservationId })));
  return read.map(({ reservation }) => reservation as Reservation);
}

async function listsDuringChanges(world: World): Promise<void> {
  const { clock, couriers, operators, siteIds, report } = world;
  expect(new Set(places.map((place) => regionOfCell(indexCellOf(place)))).size).toBe(places.length);
  const random = createRandom(testSeed());
  const own = new Map(couriers.map((courier) => [courier, [] as string[]]));
  const siteOf = new Map<string, string>();

  /** A random action of a party. */
  async function happen(): Promise<void> {
    const courier = random.pick(couriers);
    const ids = own.get(courier) as string[];
    if (ids.length === 0 || random.bool(0.4)) {
      const siteId = random.pick(siteIds);
      const { reservationId } = await hold(courier, siteId);
      ids.push(reservationId);
      siteOf.set(reservationId, siteId);
      return;
    }
    const [before] = await readAll(courier, [random.pick(ids)]);
    const { reservationId, state, siteId } = before as Reservation;
    if (state === ReservationState.HELD && random.bool(0.7)) await confirm(courier, before as Reservation);
    else if (state === ReservationState.HELD || (state === ReservationState.CONFIRMED && random.bool(0.3))) {
      await courier.client.reservations.cancel({ requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
    } else if (state === ReservationState.CONFIRMED) await report(DeviceEventType.PARCEL_DEPOSITED, reservationId, siteId);
    else if (state === ReservationState.DEPOSITED) await report(DeviceEventType.PARCEL_COLLECTED, reservationId, siteId);
  }
  // As many that everybody's take more than three pages, at the site of which few may be drawn.
  for (const courier of couriers) {
    for (let count = 0; count < 13; count++) {
      const siteId = siteIds[2] ?? "";
      const { reservationId } = await hold(courier, siteId);
      own.get(courier)?.push(reservationId);
      siteOf.set(reservationId, siteId);
    }
  }
  for (let count = 0; count < 120; count++) await happen();

  for (const by of [...couriers, ...operators]) {
    const mine = () =>
      [...siteOf]
        .filter(([id, siteId]) => own.get(by)?.includes(id) ?? (siteId === siteIds[2]) === (by === operators[1]))
        .map(([id]) => id);
    const before = mine();
    const { found, pages } = await listAll(by, {}, random.int(2, 4), async () => {
      for (let count = 0; count < 2; count++) await happen();
    });
    const ids = idsOf(found);
    expect(pages).toBeGreaterThan(3);
    expect(new Set(ids).size).toBe(ids.length);
    expect(before.filter((id) => !ids.includes(id))).toEqual([]);
    expect(ids.filter((id) => !mine().includes(id))).toEqual([]);
    // Nothing changes now: the list matches GetReservation, and a filter excludes exactly the reservations that do not match it.
    const now = await readAll(by, mine());
    for (const states of [[], [ReservationState.CONFIRMED], [ReservationState.HELD, ReservationState.COLLECTED]]) {
      for (const siteId of ["", siteIds[0] ?? ""]) {
        const wanted = now.filter(
          (each) => (states.length === 0 || states.includes(each.state as never)) && (siteId === "" || each.siteId === siteId),
        );
        const { found: listed } = await listAll(by, { states, siteId }, random.int(1, 500));
        expect(new Map(listed.map((each) => [each.reservationId, each]))).toEqual(
          new Map(wanted.map((each) => [each.reservationId, each])),
        );
        expect(listed).toHaveLength(wanted.length);
      }
    }
  }
  clock.advance(1);
}

describe("ListReservations", () => {
  it("lists each reservation that exists throughout exactly once, in three regions, whatever else happens", async () => {
    await listsDuringChanges(await startWorld());
  });

  it("does so on a cluster", async () => {
    const cluster = await startTestCluster();
    onTestFinished(() => cluster.stop());
    await listsDuringChanges(await startWorld(cluster));
  });

  it("lists an overdue parcel to the courier and to the site's operator until it is extended, collected or in doubt", async () => {
    const { clock, couriers, operators, siteIds, report } = await startWorld();
    const [courier, other] = couriers as [TestParticipant, TestParticipant];
    const inside: Reservation[] = [];
    for (const siteId of [...siteIds, ...siteIds, ...siteIds]) {
      for (const by of [courier, other]) {
        const reservation = await hold(by, siteId);
        await confirm(by, reservation);
        if (inside.length < 16) await report(DeviceEventType.PARCEL_DEPOSITED, reservation.reservationId, siteId);
        inside.push(reservation);
      }
    }
    const lying = inside.slice(0, 16);
    const overdueOf = async (by: TestParticipant, question: Question = {}, pageSize = 2) =>
      idsOf((await listAll(by, { ...question, overdue: true }, pageSize)).found).sort();
    const ofCourier = idsOf(lying.filter(({ participantId }) => participantId === courier.participantId)).sort();
    expect(await overdueOf(courier)).toEqual([]);
    clock.advance(3 * dayMs);
    await expect.poll(() => overdueOf(courier)).toEqual(ofCourier);
    await expect
      .poll(() => overdueOf(operators[1] as TestParticipant))
      .toEqual(idsOf(lying.filter(({ siteId }) => siteId === siteIds[2])).sort());
    expect(await overdueOf(courier, { siteId: siteIds[1] as string })).toEqual(
      idsOf(lying.filter(({ siteId, participantId }) => siteId === siteIds[1] && participantId === courier.participantId)).sort(),
    );
    expect(await overdueOf(courier, { states: [ReservationState.CONFIRMED] })).toEqual([]);

    const [extended = "", collected = "", doubtful = ""] = ofCourier;
    const siteOf = (id: string) => inside.find(({ reservationId }) => reservationId === id)?.siteId ?? "";
    await courier.client.reservations.extend({
      requestId: randomUUID(),
      reservationId: extended,
      until: timestampFromMs(clock.now() + hourMs),
    });
    await report(DeviceEventType.PARCEL_COLLECTED, collected, siteOf(collected));
    await report(DeviceEventType.DOUBT, doubtful, siteOf(doubtful));
    expect(await overdueOf(courier)).toEqual(ofCourier.slice(3));
    clock.advance(hourMs);
    await expect.poll(() => overdueOf(courier)).toEqual([extended, ...ofCourier.slice(3)]);
  });

  it("filters by purpose, by the partner's reference and by the current deadline", async () => {
    const { clock, couriers, siteIds, report } = await startWorld();
    const [courier] = couriers as [TestParticipant];
    const siteId = siteIds[0] ?? "";
    const [held, confirmed, deposited] = [
      await hold(courier, siteId, "a"),
      await hold(courier, siteId, "b"),
      await hold(courier, siteId, "a"),
    ];
    for (const reservation of [confirmed, deposited]) await confirm(courier, reservation);
    await report(DeviceEventType.PARCEL_DEPOSITED, deposited.reservationId, siteId);
    const listed = async (question: Question) => idsOf((await listAll(courier, question, 100)).found);
    expect(await listed({ partnerReference: "a" })).toEqual(idsOf([held, deposited]));
    expect(await listed({ purpose: 1 })).toEqual(idsOf([held, confirmed, deposited]));
    expect(await listed({ purpose: 3 })).toEqual([]);
    const before = (ms: number) => listed({ deadlineBefore: timestampFromMs(clock.now() + ms) });
    expect(await before(15 * 60_000)).toEqual([]);
    expect(await before(15 * 60_000 + 1)).toEqual(idsOf([held]));
    expect(await before(dayMs + 1)).toEqual(idsOf([held, confirmed]));
    expect(await before(3 * dayMs + 1)).toEqual(idsOf([held, confirmed, deposited]));
    expect(await listed({ siteId: "site_nothing" })).toEqual([]);
  });

  it("accepts a cursor only with the query that it was issued for", async () => {
    const { couriers, siteIds } = await startWorld();
    const [courier] = couriers as [TestParticipant];
    for (const siteId of siteIds) await hold(courier, siteId);
    const { nextCursor } = await courier.client.reservations.listReservations({ pageSize: 1 });
    const reasonFor = async (request: MessageInitShape<typeof ListReservationsRequestSchema>) =>
      reasonOf(await courier.client.reservations.listReservations(request).catch((error: unknown) => error));
    expect(await reasonFor({ cursor: nextCursor, pageSize: 7 })).toBeUndefined();
    const wrong = ["x", `${nextCursor}x`, nextCursor.slice(0, -3), nextCursor.replace("made", "overdue"), "overdue.AAAAAAAA.836526."];
    for (const cursor of wrong) expect([cursor, await reasonFor({ cursor })]).toEqual([cursor, "CURSOR_INVALID"]);
    expect(await reasonFor({ cursor: nextCursor, partnerReference: "a" })).toBe("CURSOR_INVALID");
    expect(await reasonFor({ cursor: nextCursor, overdue: true })).toBe("CURSOR_INVALID");
  });
});
