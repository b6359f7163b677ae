import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { createContextValues, type HandlerContext } from "@connectrpc/connect";
import { createAllocator, type RedisConnection } from "@petak/allocator";
import { type BatchRequest, BatchRequestSchema, type BatchResponse, type Reservation, ReservationState, Role } from "@petak/protocol";
import { Crash, createFrozenClock, dyingAt, type FrozenClock, makeSite, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { gatewayTerms } from "../domain/terms.ts";
import { callerKey, type ParticipantCaller } from "../identity/index.ts";
import { testReceipts } from "../receipts/testing/test-receipts.ts";
import { createSiteCache } from "../stores/site-cache.ts";
import { createTermsBook } from "../stores/terms-book.ts";
import { createTermsStore } from "../stores/terms-store.ts";
import type { CredentialIssuer } from "./credential-issuer.ts";
import type { LogReader } from "./log-reader.ts";
import { createReservationService } from "./reservations.ts";

const redis = useRedis();
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
const dayMs = 86_400_000;
const courier: ParticipantCaller = {
  kind: "participant",
  participantId: "par_0000000000000001",
  roles: [Role.COURIER],
  mode: "test",
  keyId: "key_test_0000000000000001",
};

let connection: RedisConnection;
let clock: FrozenClock;
let siteId: string;

beforeEach(async () => {
  clock = createFrozenClock(1_800_000_000_000);
  connection = await redis.connect();
  connection.setMaxListeners(0);
  const { allocator } = gatewayOver(connection);
  const site = makeSite({ latitude: 1.3, longitude: 103.8, ref: "site", classes: [["M", 400, 200, 500, 20_000, 1000]] });
  siteId = (await allocator.sites.put(site, 0)).siteId;
  return () => connection.disconnect();
});

const receipts = await testReceipts();

function gatewayOver(redisConnection: RedisConnection) {
  const allocator = createAllocator({ redis: redisConnection, prefix: `${redis.keyPrefix}petak` });
  const limits = { collectWithinMs: 3 * dayMs, storageMaxMs: 14 * dayMs };
  const service = createReservationService({
    allocator,
    siteCache: createSiteCache(allocator.sites),
    termsBook: createTermsBook(createTermsStore(redisConnection, redis.keyPrefix), gatewayTerms(limits), clock.now),
    // No credential is asked for here, and nothing is listed.
    credentials: {} as CredentialIssuer,
    receipts,
    reader: {} as LogReader,
    now: clock.now,
    holdDefaultMs: 900_000,
    holdMaxMs: dayMs,
    depositDefaultMs: dayMs,
  });
  const context = { values: createContextValues().set(callerKey, courier), signal: new AbortController().signal } as HandlerContext;
  return { allocator, batch: async (request: BatchRequest) => (await service.batch(request, context)) as BatchResponse };
}

function reservationsOf({ results }: BatchResponse): Reservation[] {
  return results.map(({ result }) => {
    if (result.case !== "reserve" && result.case !== "confirm") throw new Error(`a call came to ${JSON.stringify(result)}`);
    return result.value.reservation as Reservation;
  });
}

describe("a batch that is cut off", () => {
  it("is finished by its repetition at whichever command the gateway dies, and does nothing twice", async () => {
    const steady = gatewayOver(connection);
    const reserve = (count: number) =>
      create(BatchRequestSchema, {
        calls: Array.from({ length: count }, () => ({
          call: { case: "reserve" as const, value: { requestId: randomUUID(), place: { case: "siteId" as const, value: siteId }, parcel } },
        })),
      });
    let reserved = 0;
    let died = 0;
    for (let atCommand = 1; atCommand < 60; atCommand += 1) {
      for (const isDone of [false, true]) {
        const held = reservationsOf(await steady.batch(reserve(3)));
        const confirms = held.map(({ reservationId }) => ({
          call: { case: "confirm" as const, value: { requestId: randomUUID(), reservationId } },
        }));
        const request = create(BatchRequestSchema, { calls: confirms });
        request.calls.push(...reserve(3).calls);
        const mortal = gatewayOver(dyingAt(connection, { atCommand, isDone }).connection);
        await mortal.batch(request).then(
          () => undefined,
          (error: unknown) => {
            if (!(error instanceof Crash)) throw error;
            died += 1;
          },
        );
        const response = await steady.batch(request);
        expect(await steady.batch(request)).toEqual(response);
        const found = reservationsOf(response);
        expect(found.map(({ state }) => state)).toEqual([6, 6, 6, 4, 4, 4]);
        expect(found.slice(0, 3).map(({ reservationId }) => reservationId)).toEqual(held.map(({ reservationId }) => reservationId));
        const chains = await Promise.all(found.map(({ reservationId }) => steady.allocator.events.chain(reservationId)));
        expect(chains.map((chain) => chain.map(({ stateAfter }) => stateAfter))).toEqual([
          ...Array(3).fill([ReservationState.HELD, ReservationState.CONFIRMED]),
          ...Array(3).fill([ReservationState.HELD]),
        ]);
        reserved += 6;
        expect((await steady.allocator.sites.find(siteId))?.counts[0]?.held).toBe(reserved);
      }
    }
    // It would say nothing if there were hardly anything to die at.
    expect(died).toBeGreaterThan(20);
  });
});
