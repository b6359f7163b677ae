import { type Reservation, ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { createRandom, makeSite, type Random, roundsHere, testSeed, testStoreCode, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createRecords, type Records } from "../records.ts";
import { freeToPromise } from "../sites/site-counts.ts";
import { type ModelReservation, QueueModel } from "./testing/queue-model.ts";
import { end, reserveOrWait } from "./testing/waiting.ts";

const lives = roundsHere({ short: 5, ci: 25 });
const stepsOfEach = 60;
const startMs = 1_800_000_000_000;
const edges = { S: 100, M: 200, L: 300 } as const;
const states = { waits: ReservationState.QUEUED, held: ReservationState.HELD, over: ReservationState.CANCELLED } as const;

const redis = useRedis();
let connections: RedisConnection[];
let gateways: Records[];

beforeEach(async () => {
  connections = await Promise.all(Array.from({ length: 3 }, () => redis.connect()));
  gateways = connections.map((connection) =>
    createRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` }),
  );
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

function siteWith(ref: string, index: number, places: Record<string, number>) {
  const classes = Object.entries(edges).map(
    ([id, edgeMm]) => [id, edgeMm, edgeMm, edgeMm, 1000, places[id] ?? 0] as [string, number, number, number, number, number],
  );
  return makeSite({ latitude: 1.35 + index / 500, longitude: 103.82, ref, classes });
}

interface Life {
  model: QueueModel;
  refs: string[];
  siteIds: string[];
  made: Map<ModelReservation, Reservation>;
  nowMs: number;
}

async function newLife(life: number, random: Random): Promise<Life> {
  const model = new QueueModel();
  const refs = ["a", "b", "c"].map((name) => `${life}-${name}`);
  const siteIds: string[] = [];
  for (const [index, ref] of refs.entries()) {
    const places = { S: random.int(0, 2), M: random.int(1, 2), L: random.int(0, 1) };
    const { siteId } = await random.pick(gateways).sites.put(siteWith(ref, index, places), 0);
    siteIds.push(siteId);
    model.sites.set(
      siteId,
      Object.entries(edges).map(([id, edgeMm]) => ({ id, edgeMm, installed: places[id as keyof typeof places] })),
    );
  }
  return { model, refs, siteIds, made: new Map(), nowMs: startMs };
}

async function step(life: Life, random: Random, number: number): Promise<void> {
  const { model, refs, siteIds, made } = life;
  const gateway = random.pick(gateways);
  // Clocks of gateways differ.
  life.nowMs += random.int(-2, 5);
  const action = random.float(0, 1);
  const live = model.reservations.filter(({ state }) => state !== "over");
  if (live.length === 0 || action < 0.55) {
    const wanted = random.shuffle(siteIds).slice(0, random.int(1, 3));
    const edgeMm = random.pick(Object.values(edges)) - random.int(0, 20);
    const fitting = wanted.filter((siteId) => model.fitting(siteId, edgeMm).length > 0);
    const expected = model.reserve(number, fitting, edgeMm);
    const outcome = await reserveOrWait(gateway, { number, siteIds: fitting, edgeMm }, life.nowMs);
    if (outcome.tag === "none") throw new Error("neither held nor waiting");
    made.set(expected, outcome.reservation);
    const { state, siteId, sizeClassId, queuePosition } = outcome.reservation;
    const position = expected.state === "waits" ? model.position(expected) : undefined;
    expect({ state, siteId, sizeClassId, queuePosition }).toEqual({
      state: states[expected.state],
      siteId: expected.siteId,
      sizeClassId: expected.classId,
      queuePosition: position,
    });
  } else if (action < 0.9) {
    const chosen = random.pick(live);
    model.end(chosen);
    expect(await end(gateway, made.get(chosen)?.reservationId ?? "", life.nowMs)).toBe(true);
  } else {
    const index = random.int(0, siteIds.length - 1);
    const siteId = siteIds[index] as string;
    const classes = model.sites.get(siteId) ?? [];
    for (const one of classes) one.installed += Math.max(model.free(siteId, one.id) === 0 ? 0 : -1, random.int(-1, 1));
    await gateway.sites.put(
      siteWith(refs[index] ?? "", index, Object.fromEntries(classes.map(({ id, installed }) => [id, installed]))),
      life.nowMs,
    );
    model.promote(siteId);
  }
}

async function expectAsModelled({ model, siteIds, made }: Life): Promise<void> {
  const [gateway] = gateways as [Records];
  for (const [expected, { reservationId }] of made) {
    const reservation = await gateway.reservations.find(reservationId);
    const { state, siteId, sizeClassId } = reservation as Reservation;
    expect({ number: expected.number, state, siteId, sizeClassId }).toEqual({
      number: expected.number,
      state: states[expected.state],
      siteId: expected.siteId,
      sizeClassId: expected.classId,
    });
    expect(await gateway.queues.position(reservationId)).toBe(expected.state === "waits" ? model.position(expected) : undefined);
  }
  for (const siteId of siteIds) {
    const stored = await gateway.sites.find(siteId);
    const free = stored?.counts.map(freeToPromise);
    expect(free).toEqual(stored?.site.sizeClasses.map(({ sizeClassId }) => model.free(siteId, sizeClassId)));
  }
}

describe("a queue", () => {
  it("is first come first served among those that fit, as a plain list is", { timeout: 240_000 }, async () => {
    const random = createRandom(testSeed());
    for (let number = 0; number < lives; number++) {
      const life = await newLife(number, random);
      for (let at = 0; at < stepsOfEach; at++) {
        await step(life, random, number * stepsOfEach + at);
        if (random.bool(0.1)) await expectAsModelled(life);
      }
      await expectAsModelled(life);
      for (const reservation of life.model.reservations) {
        if (reservation.state !== "over") await end(random.pick(gateways), life.made.get(reservation)?.reservationId ?? "", life.nowMs);
        life.model.end(reservation);
      }
      await expectAsModelled(life);
    }
  });
});
