import { create } from "@bufbuild/protobuf";
import { EventSchema, parseReservationId, parseSiteId, type Region, type Reservation, ReservationState } from "@petak/protocol";
import { createKeys, type RedisConnection } from "@petak/redis";
import { makeSite, testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";
import type { StoredTransition } from "./reservation-store.ts";
import { participantId, reserve } from "./testing/holding.ts";
import { reportHashes } from "./testing/report-hashes.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
let connection: RedisConnection;
let records: SearchableRecords;
let siteId: string;
let region: Region;

beforeEach(async () => {
  connection = await redis.connect();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  siteId = (await records.sites.put(makeSite({ ...origin, classes: [["M", 400, 200, 500, 20_000, 40]] }), 0)).siteId;
  region = parseSiteId(siteId)?.region ?? "";
  return () => connection.disconnect();
});

async function hold(number: number): Promise<Reservation> {
  const outcome = await reserve(records, origin, number);
  if (outcome.tag === "none") throw new Error("nothing was held");
  return outcome.reservation;
}

const holdMany = (count: number) => Promise.all(Array.from({ length: count }, (_, index) => hold(index)));

/** The transition that ends a hold, with overrides. */
async function ending(before: Reservation, more: Partial<StoredTransition> = {}): Promise<StoredTransition> {
  return {
    before,
    after: { ...before, state: ReservationState.CANCELLED, revision: before.revision + 1 },
    site: await records.sites.filed(siteId),
    heldChange: -1,
    occupiedChange: 0,
    deadlineMs: null,
    events: [create(EventSchema, { reservationId: before.reservationId, participantId })],
    ...more,
  };
}

const response = (number: number, fingerprint = number) => ({
  participantId,
  requestId: `00000000-0000-4000-8000-9${String(number).padStart(11, "0")}`,
  fingerprint: Buffer.alloc(16, fingerprint),
  bytes: Buffer.from(`response ${number}`),
});

const counts = async () => (await records.sites.find(siteId))?.counts[0];

/** The tag of each outcome, or the reason or message of its error. */
const outcomesOf = async (pending: Promise<StoredTransition>[]) => {
  const transitions = await Promise.all(pending);
  return await Promise.all(
    transitions.map((transition) =>
      records.reservations.apply(transition).then(
        (outcome) => outcome.tag,
        (error: Error & { reason?: string }) => error.reason ?? error.message,
      ),
    ),
  );
};

describe("transitions in one batch", () => {
  it("are each applied once, with one event each, in order", async () => {
    const held = await holdMany(40);
    expect(await counts()).toMatchObject({ held: 40 });
    const lastHeld = await records.events.lastEntry(region);
    expect(await outcomesOf(held.map((before) => ending(before)))).toEqual(held.map(() => "done"));
    expect(await counts()).toMatchObject({ held: 0, occupied: 0 });
    const recorded = await records.events.readAfter(region, lastHeld, 100);
    expect(recorded.map(({ event }) => event.reservationId)).toEqual(held.map(({ reservationId }) => reservationId));
    for (const { reservationId } of held) {
      expect(await records.reservations.find(reservationId)).toMatchObject({ state: ReservationState.CANCELLED, revision: 2 });
      expect(await records.events.chain(reservationId)).toHaveLength(2);
    }
  });

  it("each have the same outcome as alone, whatever the outcome of the others", async () => {
    const held = await holdMany(9);
    const [one, two, three, four, five, six, seven, eight, nine] = held as [
      Reservation,
      Reservation,
      Reservation,
      Reservation,
      Reservation,
      Reservation,
      Reservation,
      Reservation,
      Reservation,
    ];
    const gone = { ...one, reservationId: one.reservationId.replace(/.{4}$/, "zzzz") };
    const pin = { hash: Buffer.alloc(32, 7), notBeforeS: 1, expiresAtS: 2 };
    const report = (sequence: number) => ({
      ...{ siteId, keyId: "key_test_1", sequence },
      ...reportHashes(sequence),
    });
    const lastHeld = await records.events.lastEntry(region);
    const { siteNumber = 0 } = parseSiteId(siteId) ?? {};
    const watermark = createKeys(`${redis.keyPrefix}petak`).agentWatermark(region, siteNumber, "key_test_1");
    // As if the key had been revoked while its reports were under way.
    await redis.client.set(watermark, 0, "PX", 60_000);
    await redis.client.hset(createKeys(`${redis.keyPrefix}petak`).agentLease(region, siteNumber, "key_test_2"), "ended", 1);
    expect(
      await outcomesOf([
        ending(one, { response: response(1) }),
        // The same request again, and another body with its id.
        ending(one, { response: response(1) }),
        ending(two, { response: response(1, 2) }),
        ending(gone),
        ending({ ...two, revision: 7 }),
        ending(three, { report: report(1) }),
        ending(four, { report: report(1) }),
        ending(four, { report: report(3) }),
        ending(four, { report: report(2) }),
        ending(five, { heldChange: 0, pin }),
        ending(six, { heldChange: 0, pin }),
        // Counts below zero.
        ending(seven, { heldChange: -40 }),
        ending(eight),
        // Of a device whose key has ended meanwhile.
        ending(nine, { report: { ...report(1), keyId: "key_test_2" } }),
      ]),
    ).toEqual([
      "done",
      "repeated",
      "REQUEST_ID_REUSED",
      "RESERVATION_NOT_FOUND",
      "stale",
      "done",
      "seen",
      "gap",
      "done",
      "done",
      "pin_taken",
      expect.stringContaining("counts below zero"),
      "done",
      "fenced",
    ]);
    expect(await counts()).toMatchObject({ held: 5 });
    expect(await records.reservations.watermark(siteId, "key_test_1")).toMatchObject({
      sequence: 2,
      hash: new Uint8Array(32).fill(2),
      hasForked: false,
    });
    expect(await redis.client.pttl(watermark)).toBeGreaterThan(0);
    const recorded = await records.events.readAfter(region, lastHeld, 100);
    expect(recorded.map(({ event }) => event.reservationId)).toEqual([one, three, four, five, eight].map((done) => done.reservationId));
    expect(await records.reservations.find(seven.reservationId)).toEqual(seven);
  });

  it("of one reservation are applied in order, but only one of those with the same revision", async () => {
    const before = await hold(1);
    expect(await outcomesOf([ending(before), ending(before), ending({ ...before, revision: 2 }, { heldChange: 0 })])).toEqual([
      "done",
      "stale",
      "done",
    ]);
    expect(await records.reservations.find(before.reservationId)).toMatchObject({ revision: 3 });
    expect(await counts()).toMatchObject({ held: 0 });
  });

  it("increment the version of the site agent's data for each change", async () => {
    const held = await holdMany(3);
    const before = (await records.allowedChanges.version(siteId)).number;
    await outcomesOf(held.map((each) => ending(each, { isAllowed: true, heldChange: 0 })));
    expect((await records.allowedChanges.version(siteId)).number).toBe(before + 3);
    expect(await records.reservations.allowedAt(siteId)).toHaveLength(3);
  });

  it("record every event, and are refused if there are too many", async () => {
    const [some, most, tooMany] = (await holdMany(3)) as [Reservation, Reservation, Reservation];
    const eventsOf = ({ reservationId }: Reservation, count: number) => ({
      events: Array.from({ length: count }, () => create(EventSchema, { reservationId, participantId })),
    });
    expect(
      await outcomesOf([ending(some, eventsOf(some, 2)), ending(most, eventsOf(most, 255)), ending(tooMany, eventsOf(tooMany, 256))]),
    ).toEqual(["done", "done", "a transition with 256 events, at most 255"]);
    expect(await records.events.chain(some.reservationId)).toHaveLength(3);
    expect(await records.events.chain(most.reservationId)).toHaveLength(256);
    expect(await counts()).toMatchObject({ held: 1 });
  });

  it("do not affect others if a record is invalid", async () => {
    const [broken, whole] = (await holdMany(2)) as [Reservation, Reservation];
    const { handle } = parseReservationId(broken.reservationId) as { handle: string };
    const key = createKeys(`${redis.keyPrefix}petak`).reservation(region, handle);
    await connection.set(key, "x");
    expect(await outcomesOf([ending(broken), ending(whole)])).toEqual([expect.stringMatching(/^a transition was not applied: /), "done"]);
    expect(await connection.get(key)).toBe("x");
    expect(await counts()).toMatchObject({ held: 1 });
  });
});
