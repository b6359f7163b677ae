import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { indexCellOf, quantise } from "@petak/allocator";
import {
  CancellationReason,
  CancelRequestSchema,
  EventType,
  parseSiteId,
  RedirectRequestSchema,
  type RedirectResponse,
  type Reservation,
  ReservationState,
  Role,
} from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { atEveryDeath, dies, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { startSweep } from "../../sweep/sweep.ts";
import { openForMany, openReservationWorld, type ReservationWorld } from "./testing/reservation-world.ts";

const redis = useRedis();
const minuteMs = 60_000;
const { QUEUED, HELD, CANCELLED, REJECTED, EXPIRED } = ReservationState;

let world: ReservationWorld;
let steady: ReturnType<typeof gatewayOver>;

beforeEach(async () => {
  world = await openReservationWorld(redis, testCaller(Role.MERCHANT));
  steady = gatewayOver(world.connection);
});

function gatewayOver(connection: RedisConnection) {
  const { records, termsBook, service, reserve, confirm } = world.over(connection);
  return {
    records,
    termsBook,
    confirm,
    async reserve(siteId: string, waitMinutes = 0): Promise<Reservation> {
      const wait = { overflowPolicy: { wait: { seconds: BigInt(waitMinutes * 60) } } };
      return await reserve(siteId, waitMinutes > 0 ? wait : {});
    },
    async redirect(asked: MessageInitShape<typeof RedirectRequestSchema>): Promise<RedirectResponse> {
      return (await service.redirect(create(RedirectRequestSchema, asked), world.context)) as RedirectResponse;
    },
    async cancel({ reservationId }: Pick<Reservation, "reservationId">): Promise<void> {
      const asked = create(CancelRequestSchema, { requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
      await service.cancel(asked, world.context);
    },
    async found(reservationId: string): Promise<Reservation> {
      return (await records.reservations.find(reservationId)) as Reservation;
    },
  };
}

async function held(siteId: string): Promise<number | undefined> {
  return (await steady.records.sites.find(siteId))?.counts[0]?.held;
}

async function waitingAt(siteId: string): Promise<number> {
  const { region, siteNumber } = parseSiteId(siteId) as { region: string; siteNumber: number };
  return await world.connection.zcard(steady.records.keys.siteQueue(region, siteNumber));
}

const redirection = (old: Reservation, siteId: string) => ({
  requestId: randomUUID(),
  reservationId: old.reservationId,
  place: { case: "siteId", value: siteId } as const,
  reason: CancellationReason.CONSUMER_REQUEST,
});

describe("a redirection of a queued reservation", () => {
  // The last two sites are in another region.
  const targets = [
    ["a free site", "there", 1.31, true],
    ["a full site", "there", 1.31, false],
    ["a free site of another region", "beyond", 3, true],
    ["a full site of another region", "beyond", 3, false],
  ] as const;

  it.each(targets)("to %s is completed by a duplicate, wherever the gateway dies", async (_where, ref, latitude, isFree) => {
    const [here, target] = [await world.putSite(1), await world.putSite(1, { ref, latitude })];
    await steady.reserve(here);
    const blocking = isFree ? 0 : 1;
    if (!isFree) await steady.reserve(target);
    await atEveryDeath({ connection: world.connection, commandsMin: 8 }, async (dying) => {
      const old = await steady.reserve(here, 60);
      const later = await steady.reserve(here, 60);
      const asked = redirection(old, target);
      const hasDied = await dies(gatewayOver(dying).redirect(asked));
      const response = await steady.redirect(asked);
      const { reservation, redirected } = response;
      const newId = reservation?.reservationId ?? "";
      expect(redirected).toMatchObject({ state: CANCELLED, redirectedTo: newId });
      expect(reservation).toMatchObject({ state: isFree ? HELD : QUEUED, siteId: target, redirectedFrom: old.reservationId });
      if (!isFree) expect(reservation).toMatchObject({ queuedSince: old.queuedSince, queuedUntil: old.queuedUntil, queuePosition: 0 });
      expect([await waitingAt(here), await waitingAt(target)]).toEqual([1, isFree ? 0 : 1]);
      expect([await held(here), await held(target)]).toEqual([1, isFree ? 1 : blocking]);
      expect(await steady.redirect(asked)).toEqual(response);
      await steady.cancel({ reservationId: newId });
      await steady.cancel(later);
      expect(await steady.redirect(asked)).toEqual(response);
      return hasDied;
    });
  });

  it("leaves one reservation and one place if a place becomes free while it is interrupted", async () => {
    const [here, there] = [await world.putSite(1), await world.putSite(1, { ref: "there", latitude: 1.31 })];
    await steady.reserve(there);
    const seen = new Set<string>();
    await atEveryDeath({ connection: world.connection, commandsMin: 8 }, async (dying) => {
      const holding = await steady.reserve(here);
      const old = await steady.reserve(here, 60);
      const asked = redirection(old, there);
      const hasDied = await dies(gatewayOver(dying).redirect(asked));
      await steady.cancel(holding);
      const outcome = await steady.redirect(asked).then(
        ({ reservation }) => reservation,
        (error: unknown) => {
          expect(error).toMatchObject({ reason: "NO_PLACE_FREE" });
          return undefined;
        },
      );
      const { state } = await steady.found(old.reservationId);
      // Either it had moved to the other queue, or it keeps the place that it got.
      expect(state).toBe(outcome === undefined ? HELD : CANCELLED);
      seen.add(outcome === undefined ? "kept" : "moved");
      expect([await held(here), await held(there)]).toEqual([outcome === undefined ? 1 : 0, 1]);
      expect([await waitingAt(here), await waitingAt(there)]).toEqual([0, outcome === undefined ? 0 : 1]);
      await steady.cancel(outcome ?? old);
      return hasDied;
    });
    expect([...seen].sort()).toEqual(["kept", "moved"]);
  });
});

describe("sweeping a queue", () => {
  it("promotes, rejects and expires each reservation once, with five gateways sweeping", async () => {
    const siteId = await world.putSite(20);
    const region = parseSiteId(siteId)?.region ?? "";
    const holding = await Promise.all(Array.from({ length: 20 }, () => steady.reserve(siteId)));
    const waiting: Reservation[] = [];
    for (let number = 0; number < 70; number++) waiting.push(await steady.reserve(siteId, number < 10 ? 10 : 120));
    const others = await Promise.all(Array.from({ length: 4 }, () => openForMany(redis)));
    const sweeps = [world.connection, ...others].map((connection) => {
      const { records, termsBook } = world.over(connection);
      const onError = (error: unknown) => {
        throw error;
      };
      return startSweep({ records, termsBook, now: world.clock.now, intervalMs: 600_000, onError });
    });
    const sweep = async () => {
      await Promise.all(sweeps.map((one) => one.once()));
    };
    const statesOf = async (some: Reservation[]) =>
      [...new Set((await Promise.all(some.map(({ reservationId }) => steady.found(reservationId)))).map(({ state }) => state))].sort();
    await sweep();
    expect([await held(siteId), await waitingAt(siteId)]).toEqual([20, 70]);
    // The ten reservations that wait for ten minutes are rejected before the first hold expires.
    world.clock.advance(15 * minuteMs);
    await sweep();
    expect(await statesOf(holding)).toEqual([EXPIRED]);
    expect(await statesOf(waiting.slice(0, 10))).toEqual([REJECTED]);
    expect(await statesOf(waiting.slice(10, 30))).toEqual([HELD]);
    expect(await statesOf(waiting.slice(30))).toEqual([QUEUED]);
    await Promise.all(waiting.slice(10, 20).map(({ reservationId }) => steady.confirm(reservationId)));
    world.clock.advance(15 * minuteMs);
    await sweep();
    expect(await statesOf(waiting.slice(20, 30))).toEqual([EXPIRED]);
    expect(await statesOf(waiting.slice(30, 40))).toEqual([HELD]);
    expect([await held(siteId), await waitingAt(siteId)]).toEqual([20, 30]);
    const events = await steady.records.events.readAfter(region, "0-0", 10_000);
    const count = (wanted: EventType) => events.filter(({ event }) => event.type === wanted).length;
    const { RESERVATION_PROMOTED, RESERVATION_REJECTED, RESERVATION_EXPIRED } = EventType;
    expect([count(RESERVATION_PROMOTED), count(RESERVATION_REJECTED), count(RESERVATION_EXPIRED)]).toEqual([30, 10, 30]);
    await Promise.all(sweeps.map((one) => one.stop()));
  });

  it("promotes a queued reservation after a gateway without support for queues has freed a place", async () => {
    const siteId = await world.putSite(1);
    const { region, siteNumber } = parseSiteId(siteId) as { region: string; siteNumber: number };
    await steady.reserve(siteId);
    const waiting = await steady.reserve(siteId, 60);
    const { keys } = steady.records;
    const cell = indexCellOf(quantise({ latitude: 1.3, longitude: 103.8 }));
    const { connection } = world;
    // Such a gateway would decrement `held` and promote nobody.
    const field = Buffer.alloc(4);
    field.writeUInt32LE(siteNumber);
    const counts = (await connection.hgetBuffer(keys.siteCounts(region, cell), field)) as Buffer;
    counts.writeUInt16LE(0, 7 + 6);
    await connection.hset(keys.siteCounts(region, cell), field, counts);
    const { records, termsBook } = steady;
    const sweep = startSweep({ records, termsBook, now: world.clock.now, intervalMs: 600_000, onError: () => undefined });
    await sweep.once();
    await sweep.stop();
    expect(await steady.found(waiting.reservationId)).toMatchObject({ state: HELD, siteId });
    expect(await held(siteId)).toBe(1);
  });
});
