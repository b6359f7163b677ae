import { randomUUID } from "node:crypto";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import { createAllocator, type RedisConnection } from "@petak/allocator";
import { generateIssuerKey } from "@petak/credential";
import {
  CancellationReason,
  CancelRequestSchema,
  ConfirmRequestSchema,
  type ConfirmResponse,
  EventType,
  parseSiteId,
  RedirectRequestSchema,
  type RedirectResponse,
  type Reservation,
  ReservationState,
  ReserveRequestSchema,
  type ReserveResponse,
  Role,
} from "@petak/protocol";
import { Crash, createFrozenClock, dyingAt, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { gatewayTerms } from "../domain/terms.ts";
import { callerKey, type ParticipantCaller } from "../identity/index.ts";
import { createReceipts } from "../receipts/receipts.ts";
import { createSiteCache } from "../stores/site-cache.ts";
import { createTermsBook } from "../stores/terms-book.ts";
import { createTermsStore } from "../stores/terms-store.ts";
import { startSweep } from "../sweep.ts";
import type { CredentialIssuer } from "./credential-issuer.ts";
import type { LogReader } from "./log-reader.ts";
import { createReservationService } from "./reservations.ts";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const minuteMs = 60_000;
const dayMs = 86_400_000;
const merchant: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000002",
  roles: [Role.MERCHANT],
  mode: "test",
  keyId: "key_test_0000000000000001",
};
const context = { values: createContextValues().set(callerKey, merchant), signal: new AbortController().signal } as HandlerContext;
const issuerKey = await generateIssuerKey();
const receipts = createReceipts({ issuerEpochs: () => [{ key: issuerKey, announcedAtMs: 0, signsFromMs: 0 }] });
const { QUEUED, HELD, CANCELLED, REJECTED, EXPIRED } = ReservationState;

let clock: FrozenClock;
let connections: RedisConnection[];
let steady: ReturnType<typeof gatewayOver>;

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  connections = await Promise.all(Array.from({ length: 5 }, () => redis.connect()));
  for (const connection of connections) connection.setMaxListeners(0);
  steady = gatewayOver(connections[0] as RedisConnection);
});
afterEach(() => {
  for (const connection of connections) connection.disconnect();
});

function gatewayOver(connection: RedisConnection) {
  const allocator = createAllocator({ redis: connection, prefix: `${redis.keyPrefix}petak` });
  const limits = { collectWithinMs: 3 * dayMs, storageMaxMs: 14 * dayMs };
  const termsBook = createTermsBook(createTermsStore(connection, redis.keyPrefix), gatewayTerms(limits), clock.now);
  const service = createReservationService({
    allocator,
    siteCache: createSiteCache(allocator.sites),
    termsBook,
    // No credential is asked for here.
    credentials: {} as CredentialIssuer,
    receipts,
    // Nor is anything listed.
    reader: {} as LogReader,
    now: clock.now,
    holdDefaultMs: 15 * minuteMs,
    holdMaxMs: dayMs,
    depositDefaultMs: dayMs,
  });
  return {
    allocator,
    termsBook,
    async reserve(siteId: string, waitMinutes = 0): Promise<Reservation> {
      const wait = { overflowPolicy: { wait: { seconds: BigInt(waitMinutes * 60) } } };
      const asked = {
        requestId: randomUUID(),
        place: { case: "siteId", value: siteId } as const,
        parcel,
        ...(waitMinutes > 0 ? wait : {}),
      };
      const { reservation } = (await service.reserve(create(ReserveRequestSchema, asked), context)) as ReserveResponse;
      return reservation as Reservation;
    },
    async redirect(asked: MessageInitShape<typeof RedirectRequestSchema>): Promise<RedirectResponse> {
      return (await service.redirect(create(RedirectRequestSchema, asked), context)) as RedirectResponse;
    },
    async confirm(reservationId: string): Promise<void> {
      (await service.confirm(create(ConfirmRequestSchema, { requestId: randomUUID(), reservationId }), context)) as ConfirmResponse;
    },
    async cancel({ reservationId }: Pick<Reservation, "reservationId">): Promise<void> {
      const asked = create(CancelRequestSchema, { requestId: randomUUID(), reservationId, reason: CancellationReason.OTHER });
      await service.cancel(asked, context);
    },
    async found(reservationId: string): Promise<Reservation> {
      return (await allocator.reservations.find(reservationId)) as Reservation;
    },
  };
}

async function put(ref: string, latitude: number, places: number): Promise<string> {
  const site = makeSite({ latitude, longitude: 103.8, ref, classes: [["M", 400, 200, 500, 20_000, places]] });
  return (await steady.allocator.sites.put(site, 0)).siteId;
}

async function died(work: Promise<unknown>): Promise<boolean> {
  try {
    await work;
    return false;
  } catch (error) {
    if (!(error instanceof Crash)) throw error;
    return true;
  }
}

const mortal = (atCommand: number, isDone: boolean) =>
  gatewayOver(dyingAt(connections[0] as RedisConnection, { atCommand, isDone }).connection);

/** Does something with a gateway that dies at each of its commands in turn, before and after it, until it does not die any more. */
async function atEachDeath(work: (gateway: ReturnType<typeof gatewayOver>) => Promise<boolean>): Promise<void> {
  let atCommand = 0;
  for (let hasDied = true; hasDied; ) {
    atCommand += 1;
    hasDied = false;
    for (const isDone of [false, true]) if (await work(mortal(atCommand, isDone))) hasDied = true;
  }
  // It would say nothing if there were hardly anything to die at.
  expect(atCommand).toBeGreaterThan(8);
}

async function held(siteId: string): Promise<number | undefined> {
  return (await steady.allocator.sites.find(siteId))?.counts[0]?.held;
}

async function waitingAt(siteId: string): Promise<number> {
  const { region, siteNumber } = parseSiteId(siteId) as { region: string; siteNumber: number };
  return await (connections[0] as RedisConnection).zcard(steady.allocator.keys.siteQueue(region, siteNumber));
}

const redirection = (old: Reservation, siteId: string) => ({
  requestId: randomUUID(),
  reservationId: old.reservationId,
  place: { case: "siteId", value: siteId } as const,
  reason: CancellationReason.CONSUMER_REQUEST,
});

describe("a redirection of what waits", () => {
  // The third lies in another region.
  const targets = [
    ["a free site", "there", 1.31, true],
    ["a full site", "there", 1.31, false],
    ["a free site of another region", "beyond", 3, true],
    ["a full site of another region", "beyond", 3, false],
  ] as const;

  it.each(targets)(
    "to %s is finished by a repetition, at whichever command the gateway dies",
    { timeout: 60_000 },
    async (_where, ref, latitude, isFree) => {
      const [here, target] = [await put("here", 1.3, 1), await put(ref, latitude, 1)];
      await steady.reserve(here);
      const blocking = isFree ? 0 : 1;
      if (!isFree) await steady.reserve(target);
      await atEachDeath(async (gateway) => {
        const old = await steady.reserve(here, 60);
        const later = await steady.reserve(here, 60);
        const asked = redirection(old, target);
        const hasDied = await died(gateway.redirect(asked));
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
    },
  );

  it("leaves one of the two and one place, where a place comes free while it is cut off", { timeout: 60_000 }, async () => {
    const [here, there] = [await put("here", 1.3, 1), await put("there", 1.31, 1)];
    await steady.reserve(there);
    const seen = new Set<string>();
    await atEachDeath(async (gateway) => {
      const holding = await steady.reserve(here);
      const old = await steady.reserve(here, 60);
      const asked = redirection(old, there);
      const hasDied = await died(gateway.redirect(asked));
      await steady.cancel(holding);
      const outcome = await steady.redirect(asked).then(
        ({ reservation }) => reservation,
        (error: unknown) => {
          expect(error).toMatchObject({ reason: "NO_PLACE_FREE" });
          return undefined;
        },
      );
      const { state } = await steady.found(old.reservationId);
      // Either it moved to the other queue before, or it kept the place that it has got.
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
  it("promotes, rejects and passes on each once, with five gateways at it", { timeout: 60_000 }, async () => {
    const siteId = await put("here", 1.3, 20);
    const region = parseSiteId(siteId)?.region ?? "";
    const holding = await Promise.all(Array.from({ length: 20 }, () => steady.reserve(siteId)));
    const waiting: Reservation[] = [];
    for (let number = 0; number < 70; number++) waiting.push(await steady.reserve(siteId, number < 10 ? 10 : 120));
    const sweeps = connections.map((connection) => {
      const { allocator, termsBook } = gatewayOver(connection);
      const onError = (error: unknown) => {
        throw error;
      };
      return startSweep({ allocator, termsBook, now: clock.now, intervalMs: 600_000, onError });
    });
    const sweep = async () => {
      await Promise.all(sweeps.map((one) => one.once()));
    };
    const statesOf = async (some: Reservation[]) =>
      [...new Set((await Promise.all(some.map(({ reservationId }) => steady.found(reservationId)))).map(({ state }) => state))].sort();
    await sweep();
    expect([await held(siteId), await waitingAt(siteId)]).toEqual([20, 70]);
    // The ten that wait ten minutes are over before the first hold is.
    clock.advance(15 * minuteMs);
    await sweep();
    expect(await statesOf(holding)).toEqual([EXPIRED]);
    expect(await statesOf(waiting.slice(0, 10))).toEqual([REJECTED]);
    expect(await statesOf(waiting.slice(10, 30))).toEqual([HELD]);
    expect(await statesOf(waiting.slice(30))).toEqual([QUEUED]);
    await Promise.all(waiting.slice(10, 20).map(({ reservationId }) => steady.confirm(reservationId)));
    clock.advance(15 * minuteMs);
    await sweep();
    expect(await statesOf(waiting.slice(20, 30))).toEqual([EXPIRED]);
    expect(await statesOf(waiting.slice(30, 40))).toEqual([HELD]);
    expect([await held(siteId), await waitingAt(siteId)]).toEqual([20, 30]);
    const events = await steady.allocator.events.readAfter(region, "0-0", 10_000);
    const count = (wanted: EventType) => events.filter(({ event }) => event.type === wanted).length;
    const { RESERVATION_PROMOTED, RESERVATION_REJECTED, RESERVATION_EXPIRED } = EventType;
    expect([count(RESERVATION_PROMOTED), count(RESERVATION_REJECTED), count(RESERVATION_EXPIRED)]).toEqual([30, 10, 30]);
    await Promise.all(sweeps.map((one) => one.stop()));
  });

  it("gives a place to who waits for it where a gateway that knows no queues has freed it", async () => {
    const siteId = await put("here", 1.3, 1);
    const { region, siteNumber } = parseSiteId(siteId) as { region: string; siteNumber: number };
    await steady.reserve(siteId);
    const waiting = await steady.reserve(siteId, 60);
    const { keys, sites } = steady.allocator;
    const cell = (await sites.find(siteId))?.cell ?? "";
    const [connection] = connections as [RedisConnection];
    // What such a gateway would write: one held less, and nobody promoted.
    const field = Buffer.alloc(4);
    field.writeUInt32LE(siteNumber);
    const tally = (await connection.hgetBuffer(keys.tallies(region, cell), field)) as Buffer;
    tally.writeUInt16LE(0, 7 + 6);
    await connection.hset(keys.tallies(region, cell), field, tally);
    const { allocator, termsBook } = steady;
    const sweep = startSweep({ allocator, termsBook, now: clock.now, intervalMs: 600_000, onError: () => undefined });
    await sweep.once();
    await sweep.stop();
    expect(await steady.found(waiting.reservationId)).toMatchObject({ state: HELD, siteId });
    expect(await held(siteId)).toBe(1);
  });
});
