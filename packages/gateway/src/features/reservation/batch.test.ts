import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type BatchRequest, BatchRequestSchema, type BatchResponse, type Reservation, ReservationState, Role } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { dies, dyingAt, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { testCaller } from "../../identity/testing/test-caller.ts";
import { openReservationWorld, parcel, type ReservationWorld } from "./testing/reservation-world.ts";

const redis = useRedis();

let world: ReservationWorld;
let siteId: string;

beforeEach(async () => {
  world = await openReservationWorld(redis, testCaller(Role.COURIER));
  siteId = await world.putSite(1000);
});

function gatewayOver(connection: RedisConnection) {
  const { records, service } = world.over(connection);
  return { records, batch: async (request: BatchRequest) => (await service.batch(request, world.context)) as BatchResponse };
}

function reservationsOf({ results }: BatchResponse): Reservation[] {
  return results.map(({ result }) => {
    if (result.case !== "reserve" && result.case !== "confirm") throw new Error(`a call came to ${JSON.stringify(result)}`);
    return result.value.reservation as Reservation;
  });
}

describe("an interrupted batch", () => {
  it("is completed by a duplicate wherever the gateway dies, and does nothing twice", async () => {
    const { connection } = world;
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
        if (await dies(mortal.batch(request))) died += 1;
        const response = await steady.batch(request);
        expect(await steady.batch(request)).toEqual(response);
        const found = reservationsOf(response);
        expect(found.map(({ state }) => state)).toEqual([6, 6, 6, 4, 4, 4]);
        expect(found.slice(0, 3).map(({ reservationId }) => reservationId)).toEqual(held.map(({ reservationId }) => reservationId));
        const chains = await Promise.all(found.map(({ reservationId }) => steady.records.events.chain(reservationId)));
        expect(chains.map((chain) => chain.map(({ stateAfter }) => stateAfter))).toEqual([
          ...Array(3).fill([ReservationState.HELD, ReservationState.CONFIRMED]),
          ...Array(3).fill([ReservationState.HELD]),
        ]);
        reserved += 6;
        expect((await steady.records.sites.find(siteId))?.counts[0]?.held).toBe(reserved);
      }
    }
    // Ensures that there were enough commands to die at.
    expect(died).toBeGreaterThan(20);
  });
});
