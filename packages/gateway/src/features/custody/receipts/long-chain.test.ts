import { create } from "@bufbuild/protobuf";
import { generateIssuerKey, verifyChain } from "@petak/credential";
import { participantParty, reservationEvent } from "@petak/lifecycle";
import { type Event, EventType, GetCustodyChainResponseSchema, type Reservation, ReservationState } from "@petak/protocol";
import { chainMax, type Records } from "@petak/records";
import { type ArchiveWorld, courier, dayMs, openArchiveWorld } from "@petak/records/testing";
import type { RedisConnection } from "@petak/redis";
import { createKeys } from "@petak/redis";
import { tempDir, useRedis } from "@petak/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createReceipts } from "./receipts.ts";

const redis = useRedis();
const { CANCELLED, CONFIRMED, IN_DOUBT } = ReservationState;
let connection: RedisConnection;
let world: ArchiveWorld;

beforeEach(async () => {
  connection = await redis.connect();
  world = await openArchiveWorld(redis, connection, await tempDir());
});
afterEach(() => connection.disconnect());

/** Records events that do not change the reservation, as many issued credentials do. */
async function addEvents(reservation: Reservation, count: number): Promise<Event[]> {
  const facts = { type: EventType.CREDENTIAL_ISSUED, reservation, actor: participantParty(courier), occurredAtMs: world.clock.now() };
  const events = Array.from({ length: count }, () => reservationEvent(facts));
  const unmoved = { cell: "", classIndex: 0, heldChange: 0, occupiedChange: 0 };
  for (let start = 0; start < count; start += 200) {
    const some = events.slice(start, start + 200);
    expect(await world.reading().reservations.apply({ before: reservation, ...unmoved, events: some })).toEqual({ tag: "done" });
  }
  return events;
}

/** Expects that a chain has `count` events in total and lists the latest of them. */
async function expectCounted(reservationId: string, last: Event | undefined, count: number, from: Records = world.records): Promise<void> {
  const { events, earlierCount } = await from.events.countedChain(reservationId);
  expect([earlierCount + events.length, events.length]).toEqual([count, Math.min(count, chainMax)]);
  if (last !== undefined) expect(events.at(-1)?.eventId).toBe(last.eventId);
  expect(new Set(events.map(({ eventId }) => eventId)).size).toBe(events.length);
}

describe("a chain with more events than are listed", () => {
  it("counts the omitted events, at any length", async () => {
    const confirmed = await world.live([CONFIRMED]);
    const { reservationId } = confirmed;
    await expectCounted(reservationId, undefined, 2);
    let count = 2;
    for (const added of [chainMax - 2, 1, 1000, 1000, 7, chainMax]) {
      const events = await addEvents(confirmed, added);
      count += added;
      await expectCounted(reservationId, events.at(-1), count);
    }
    const moved = await world.transition(confirmed, CANCELLED);
    await expectCounted(reservationId, undefined, count + 1);
    await addEvents(moved, 3);
    await expectCounted(reservationId, undefined, count + 4);
    const longest = await redis.client.strlen(
      createKeys(`${redis.keyPrefix}petak`).reservation(reservationId.slice(4, 10), reservationId.slice(11)),
    );
    expect(longest).toBeLessThan(10 * chainMax + 1000);
  });

  it("counts them also in the archive and after a restore", async () => {
    const confirmed = await world.live([CONFIRMED]);
    const { reservationId } = confirmed;
    await addEvents(confirmed, chainMax + 500);
    const cancelled = await world.transition(confirmed, CANCELLED);
    const count = chainMax + 503;
    await expectCounted(reservationId, undefined, count);
    await world.pass(5 * dayMs);
    await world.archiver().once();
    expect(await world.records.reservations.find(reservationId)).toBeUndefined();
    await expectCounted(reservationId, undefined, count, world.reading());
    const doubted = await world.transition(cancelled, IN_DOUBT);
    const events = await addEvents(doubted, chainMax + 10);
    await expectCounted(reservationId, events.at(-1), count + chainMax + 11, world.reading());
  });

  it("is stated with its count and the first listed event", async () => {
    const key = await generateIssuerKey();
    const receipts = createReceipts({ issuerEpochs: () => [{ key, announcedAtMs: 0, signsFromMs: 0 }] });
    const confirmed = await world.live([CONFIRMED]);
    await addEvents(confirmed, chainMax + 57);
    const { events, earlierCount } = await world.records.events.countedChain(confirmed.reservationId);
    const statement = await receipts.state({ reservation: confirmed, events, earlierCount, asOfMs: world.clock.now() });
    const chain = create(GetCustodyChainResponseSchema, { reservation: confirmed, events, statement });
    const verdict = await verifyChain(chain, { issuerKeys: [key] });
    expect(verdict.statement).toMatchObject({ events: chainMax + 59, first_event: 60, as_of_ms: world.clock.now() });
    const cut = create(GetCustodyChainResponseSchema, { ...chain, events: events.slice(1) });
    const missing = (await verifyChain(cut, { issuerKeys: [key] })).faults.filter(({ code }) => code === "EVENT_MISSING");
    expect(missing.map(({ message }) => message)).toEqual([`event 60 of the ${chainMax + 59} that were signed is missing`]);
  });
});
