import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { indexCellOf, quantise, regionOfCell } from "@petak/allocator";
import { cancel, extend, gatewayTerms, participantParty, transitionTo } from "@petak/lifecycle";
import {
  CancellationReason,
  EventSchema,
  EventType,
  HoldKind,
  parseReservationId,
  parseSiteId,
  type Reservation,
  ReservationSchema,
  ReservationState,
  SiteLifecycle,
} from "@petak/protocol";
import { createRecords, type Records, type StoredSite } from "@petak/records";
import { storedCandidate } from "@petak/records/testing/candidates";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import { createFrozenClock, createRandom, type FrozenClock, makeSite, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { startSweep } from "./sweep.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
const homeRegion = regionOfCell(indexCellOf(quantise(origin)));
const participantId = "par_0000000000000002";
const minuteMs = 60_000;
let clock: FrozenClock;
let connections: RedisConnection[];
let gatewayRecords: Records[];
let siteId: string;

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  connections = await Promise.all(Array.from({ length: 5 }, () => redis.connect()));
  gatewayRecords = connections.map((connection) =>
    createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
  );
  const site = makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 2000]] });
  siteId = (await one().sites.put(site, 0)).siteId;
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

const one = () => gatewayRecords[0] as Records;

async function hold(holdMs: number): Promise<Reservation> {
  const at = timestampFromMs(clock.now());
  const deadlineMs = clock.now() + holdMs;
  const reservation = create(ReservationSchema, {
    participantId,
    state: ReservationState.HELD,
    holdKind: HoldKind.SOFT,
    isTest: true,
    revision: 1,
    createdAt: at,
    updatedAt: at,
    holdExpiresAt: timestampFromMs(deadlineMs),
  });
  const stored = (await one().sites.find(siteId)) as StoredSite;
  const candidate = storedCandidate(stored, [{ index: 0, sizeClassId: "M" }]);
  const request = {
    participantId,
    requestId: randomUUID(),
    fingerprint: Buffer.alloc(16),
    isBound: false,
    homeRegion,
    reservation,
    deadlineMs,
    event: (reservationId: string) => create(EventSchema, { reservationId, participantId, type: EventType.RESERVATION_HELD }),
  };
  const outcome = await one().holds.take(request, [candidate], async () => candidate);
  if (outcome.tag !== "held") throw new Error(`a hold came to ${outcome.tag}`);
  return outcome.reservation;
}

async function change(
  before: Reservation,
  state: ReservationState,
  deadlineMs: number,
  change: Partial<Reservation>,
): Promise<Reservation> {
  const actor = participantParty({ participantId });
  const transition = transitionTo(before, { state, ...change }, { actor }, clock.now());
  const place = { movedAtMs: clock.now(), deadlineMs };
  await one().reservations.apply({ ...transition, ...place });
  return transition.after;
}

async function confirmed(): Promise<Reservation> {
  const untilMs = clock.now() + 5 * minuteMs;
  return await change(await hold(minuteMs), ReservationState.CONFIRMED, untilMs, { depositUntil: timestampFromMs(untilMs) });
}

async function deposited(): Promise<Reservation> {
  const untilMs = clock.now() + 10 * minuteMs;
  return await change(await confirmed(), ReservationState.DEPOSITED, untilMs, {
    depositedAt: timestampFromMs(clock.now()),
    collectUntil: timestampFromMs(untilMs),
  });
}

const termsBook = { of: () => gatewayTerms({ collectWithinMs: 3_600_000, storageMaxMs: 3_600_000 }) };

/** Number of events of each type after an entry. */
async function eventsAfter(entry: string): Promise<Map<EventType, number>> {
  const counts = new Map<EventType, number>();
  for (const { event } of await one().events.readAfter(homeRegion, entry, 10_000)) {
    counts.set(event.type, (counts.get(event.type) ?? 0) + 1);
  }
  return counts;
}

/** Sweeps once with several gateways concurrently. Returns the total number of applied deadlines. */
async function sweepConcurrently(gateways: number): Promise<number> {
  const errors: unknown[] = [];
  const sweeps = gatewayRecords
    .slice(0, gateways)
    .map((records) => startSweep({ records, termsBook, now: clock.now, intervalMs: 600_000, onError: (error) => void errors.push(error) }));
  // Each gateway has also started a round by itself.
  const applied = await Promise.all(sweeps.map((sweep) => sweep.once()));
  await Promise.all(sweeps.map((sweep) => sweep.stop()));
  expect(errors).toEqual([]);
  return applied.reduce((sum, count) => sum + count, 0);
}

describe("sweeping", () => {
  it("ends each hold once and frees its place, with five gateways sweeping", async () => {
    const random = createRandom(testSeed());
    const holds = await Promise.all(Array.from({ length: 300 }, () => hold(random.int(1, 100) * 1000)));
    const before = await one().events.lastEntry(homeRegion);
    clock.advance(50_000);
    const due = holds.filter(({ holdExpiresAt }) => Number(holdExpiresAt?.seconds) * 1000 <= clock.now()).length;
    await sweepConcurrently(5);
    expect(await eventsAfter(before)).toEqual(new Map([[EventType.RESERVATION_EXPIRED, due]]));
    expect((await one().sites.find(siteId))?.counts[0]?.held).toBe(300 - due);
    for (const { reservationId, holdExpiresAt } of holds) {
      const isOver = Number(holdExpiresAt?.seconds) * 1000 <= clock.now();
      const found = await one().reservations.find(reservationId);
      expect(found?.state).toBe(isOver ? ReservationState.EXPIRED : ReservationState.HELD);
    }
  });

  it("ends thousands of holds in a few steps", async () => {
    const holds = 2000;
    await Promise.all(Array.from({ length: holds }, () => hold(1000)));
    clock.advance(1000);
    const sending = vi.spyOn(connections[0] as RedisConnection, "sendCommand");
    const onError = (error: unknown) => expect.fail(String(error));
    const sweep = startSweep({ records: one(), termsBook, now: clock.now, intervalMs: 600_000, onError });
    // Its own rounds end some of them too.
    while ((await one().reservations.due(homeRegion, clock.now(), 1)).length > 0) await sweep.once();
    await sweep.stop();
    expect((await one().sites.find(siteId))?.counts[0]?.held).toBe(0);
    const scripts = sending.mock.calls.filter(([command]) => command.name === "evalsha" || command.name === "eval");
    expect(scripts.length).toBeLessThan(holds / 16);
  });

  it("ends a hold behind any number of broken records and of records without a passed deadline", async () => {
    const broken = await Promise.all(Array.from({ length: 250 }, () => hold(1000)));
    const ended = await Promise.all(Array.from({ length: 250 }, () => hold(2000)));
    const last = await hold(3000);
    const [connection] = connections as [RedisConnection];
    for (const { reservationId } of broken) {
      await connection.set(
        createKeys(`${redis.keyPrefix}petak`).reservation(homeRegion, parseReservationId(reservationId)?.handle ?? ""),
        "x",
      );
    }
    for (const before of ended) {
      await change(before, ReservationState.CANCELLED, clock.now() + 2000, {});
    }
    clock.advance(3000);
    const errors: unknown[] = [];
    const onError = (error: unknown) => void errors.push(error);
    const sweep = startSweep({ records: one(), termsBook, now: clock.now, intervalMs: 600_000, onError });
    await sweep.once();
    await sweep.stop();
    expect((await one().reservations.find(last.reservationId))?.state).toBe(ReservationState.EXPIRED);
    expect(errors.length).toBeGreaterThanOrEqual(broken.length);
    expect(await one().reservations.due(homeRegion, clock.now(), 1000)).toHaveLength(broken.length);
  });

  it("leaves none out in a round in which another gateway is first with half of them", async () => {
    const holds = 600;
    await Promise.all(Array.from({ length: holds }, () => hold(1000)));
    clock.advance(1000);
    const onError = (error: unknown) => expect.fail(String(error));
    const [own, others] = gatewayRecords as [Records, Records];
    let byOthers = 0;
    const reservations: Records["reservations"] = {
      ...own.reservations,
      async apply(transition) {
        if (byOthers < holds / 2 && (await others.reservations.apply(transition)).tag === "done") byOthers += 1;
        return await own.reservations.apply(transition);
      },
    };
    const round = Promise.withResolvers<void>();
    const sweep = startSweep({
      records: { ...own, reservations },
      termsBook,
      now: clock.now,
      intervalMs: 600_000,
      onError,
      onRound: round.resolve,
    });
    await round.promise;
    await sweep.stop();
    expect(await own.reservations.due(homeRegion, clock.now(), holds)).toEqual([]);
    expect(byOthers).toBeGreaterThanOrEqual(holds / 2);
  });

  it("ends a round after a failure of the store, once all changes in progress have ended", async () => {
    const [lost, slow] = [await hold(1000), await hold(1000)];
    for (const before of [lost, slow]) await change(before, ReservationState.CANCELLED, clock.now() + 1000, {});
    clock.advance(1000);
    const [, gone] = connections as [RedisConnection, RedisConnection];
    gone.disconnect();
    const storeFailure = await gone.ping().catch((error: unknown) => error);
    const happened: unknown[] = [];
    const slowBegins = Promise.withResolvers<void>();
    const slowMayEnd = Promise.withResolvers<void>();
    const sweep = startSweep({
      records: one(),
      termsBook,
      now: clock.now,
      intervalMs: 600_000,
      onError: (error) => void happened.push(error),
      async release({ reservationId }) {
        if (reservationId === lost.reservationId) throw storeFailure;
        slowBegins.resolve();
        await slowMayEnd.promise;
        happened.push("the slow one ended");
        return "kept";
      },
    });
    await slowBegins.promise;
    const stopped = sweep.stop().then(() => happened.push("the sweep ended"));
    // One round trip is enough time for an implementation that does not wait.
    await one().sites.find(siteId);
    slowMayEnd.resolve();
    await stopped;
    expect(happened).toEqual(["the slow one ended", storeFailure, "the sweep ended"]);
  });

  it("keeps the later deadline of a reservation that changes after it was listed as due", async () => {
    const [held, confirmedOne] = [await hold(5 * minuteMs), await confirmed()];
    const actor = participantParty({ participantId });
    const untilMs = clock.now() + 6 * minuteMs;
    // Both changes are planned before the deadlines and written after the sweep has listed the reservations.
    const extended = extend(held, { actor, until: timestampFromMs(untilMs), terms: termsBook.of(), holdMaxMs: 60 * minuteMs }, clock.now());
    const cancelled = cancel(
      confirmedOne,
      { actor, terms: termsBook.of(), site: { lifecycle: SiteLifecycle.ACTIVE }, reason: CancellationReason.CONSUMER_REQUEST },
      clock.now(),
    );
    clock.advance(5 * minuteMs);
    let writing: Promise<unknown> | undefined;
    const reservations: Records["reservations"] = {
      ...one().reservations,
      async due(...asked) {
        const ids = await one().reservations.due(...asked);
        writing ??= Promise.all([extended, cancelled].map(one().reservations.apply));
        expect(await writing).toEqual([{ tag: "done" }, { tag: "done" }]);
        return ids;
      },
    };
    expect((await one().reservations.due(homeRegion, clock.now(), 1000)).sort()).toEqual(
      [held.reservationId, confirmedOne.reservationId].sort(),
    );
    const onError = (error: unknown) => expect.fail(String(error));
    const sweep = startSweep({ records: { ...one(), reservations }, termsBook, now: clock.now, intervalMs: 600_000, onError });
    await sweep.once();
    await sweep.stop();
    const dueAt = async (nowMs: number) => (await one().reservations.due(homeRegion, nowMs, 1000)).sort();
    expect(await dueAt(untilMs - 1)).toEqual([]);
    expect(await dueAt(untilMs)).toEqual([held.reservationId]);
    const { deadlineMs } = cancelled;
    if (typeof deadlineMs !== "number") throw new Error("the token to deposit does not outlive the reservation");
    expect(await dueAt(deadlineMs - 1)).toEqual([held.reservationId]);
    expect(await dueAt(deadlineMs)).toEqual([held.reservationId, confirmedOne.reservationId].sort());
    const { region = "", siteNumber = 0 } = parseSiteId(siteId) ?? {};
    const allowed = await (connections[0] as RedisConnection).smembers(
      createKeys(`${redis.keyPrefix}petak`).siteAllowed(region, siteNumber),
    );
    expect(allowed).toContain(parseReservationId(confirmedOne.reservationId)?.handle);
  });

  it("catches up after an hour in which no gateway ran", async () => {
    const each = 40;
    const all = Array.from({ length: each }, async () => [await hold(minuteMs), await confirmed(), await deposited()]);
    await Promise.all(all);
    const before = await one().events.lastEntry(homeRegion);
    clock.advance(60 * minuteMs);
    await sweepConcurrently(2);
    const { RESERVATION_EXPIRED, RESERVATION_NO_SHOW, PARCEL_OVERDUE } = EventType;
    expect(await eventsAfter(before)).toEqual(
      new Map([
        [RESERVATION_EXPIRED, each],
        [RESERVATION_NO_SHOW, each],
        [PARCEL_OVERDUE, each],
      ]),
    );
    expect((await one().sites.find(siteId))?.counts[0]).toMatchObject({ held: 0, occupied: each });
    // Nothing remains, and nothing is applied twice.
    expect(await sweepConcurrently(5)).toBe(0);
    expect((await eventsAfter(before)).get(PARCEL_OVERDUE)).toBe(each);
  });
});
