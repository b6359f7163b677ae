import { plainQuery } from "@petak/allocator/testing";
import { HoldKind, parseSiteId, type Region, type Reservation, ReservationState } from "@petak/protocol";
import type { RedisConnection } from "@petak/redis";
import { testStoreCode, useRedis } from "@petak/testkit";
import { beforeEach, describe, expect, it } from "vitest";
import { createSearchableRecords, type SearchableRecords } from "../testing/searchable-records.ts";

import type { HoldOutcome } from "./reserve.ts";
import { holdAt, siteWithNames } from "./testing/named-site.ts";

const redis = useRedis();
const origin = { latitude: 1.3, longitude: 103.8 };
let connection: RedisConnection;
let records: SearchableRecords;
let siteId: string;

beforeEach(async () => {
  connection = await redis.connect();
  records = createSearchableRecords({ redis: connection, storeCode: testStoreCode, prefix: `${redis.keyPrefix}petak` });
  siteId = (await records.sites.put(siteWithNames({ ...origin, classes: [["M", 400, 200, 500, 20_000, 2]] }), 0)).siteId;
  return () => connection.disconnect();
});

function held(outcome: HoldOutcome): Reservation {
  if (outcome.tag === "none") throw new Error("nothing was held");
  return outcome.reservation;
}

const hold = (number: number, kind: HoldKind = HoldKind.HARD) => holdAt(records, siteId, origin, number, kind);

async function move(before: Reservation, state: ReservationState, heldChange: number, occupiedChange: number, compartmentId = "") {
  const after = { ...before, state, revision: before.revision + 1, compartmentId };
  const place = { heldChange, occupiedChange, movedAtMs: 1 };
  expect(await records.reservations.apply({ before, after, ...place, events: [] })).toEqual({ tag: "done" });
  return after;
}

async function report(ends: boolean, observedAtMs: number): Promise<void> {
  const stored = await records.sites.find(siteId);
  if (stored === undefined) throw new Error("the site is gone");
  const classesOf = () => (ends ? "reporting_ended" : [{ occupied: 0, outOfService: 0 }]);
  expect(await records.capacityReports.record({ siteId, observedAtMs, ttlS: 60, classesOf }, stored, observedAtMs)).toBe("recorded");
}

describe("a hard hold", () => {
  it("promises one compartment by its name, and its repetition the same, wherever the parcel was deposited", async () => {
    const first = held(await hold(1));
    expect(first).toMatchObject({ holdKind: HoldKind.HARD, heldCompartmentId: "M0", compartmentId: "", sizeClassId: "M" });
    expect(held(await hold(2)).heldCompartmentId).toBe("M1");
    expect((await hold(3)).tag).toBe("none");
    expect(await records.reservations.find(first.reservationId)).toEqual(first);
    await move(first, ReservationState.DEPOSITED, -1, 1, "M7");
    expect(await records.reservations.find(first.reservationId)).toMatchObject({ heldCompartmentId: "M0", compartmentId: "M7" });
    expect(await hold(1)).toEqual({ tag: "repeated", reservation: first });
    expect((await hold(4)).tag).toBe("none");
  });

  it("can be taken by a plan over several regions, and is found by its repetition", async () => {
    const elsewhere = { latitude: 10, longitude: 103.8 };
    const first = await holdAt(records, siteId, elsewhere, 1);
    expect(held(first).heldCompartmentId).toBe("M0");
    expect(await holdAt(records, siteId, elsewhere, 1)).toEqual({ ...first, tag: "repeated" });
    expect(held(await holdAt(records, siteId, elsewhere, 2)).heldCompartmentId).toBe("M1");
    expect((await holdAt(records, siteId, elsewhere, 3)).tag).toBe("none");
  });

  it("frees its compartment when it ends and when its parcel was collected", async () => {
    const first = held(await hold(1));
    await move(first, ReservationState.EXPIRED, -1, 0);
    const second = held(await hold(2));
    expect(second.heldCompartmentId).toBe("M0");
    const inside = await move(second, ReservationState.DEPOSITED, -1, 1, "M0");
    expect(held(await hold(3)).heldCompartmentId).toBe("M1");
    await move(inside, ReservationState.COLLECTED, 0, -1, "M0");
    expect(held(await hold(4)).heldCompartmentId).toBe("M0");
  });

  it("never promises a compartment with a parcel, nor a promised one with another parcel until both have ended", async () => {
    const soft = held(await hold(1, HoldKind.SOFT));
    expect(soft).toMatchObject({ holdKind: HoldKind.SOFT, heldCompartmentId: "" });
    const hard = held(await hold(2));
    expect(hard.heldCompartmentId).toBe("M0");
    // The agent did not know of the promise.
    const inside = await move(soft, ReservationState.DEPOSITED, -1, 1, "M0");
    await move(inside, ReservationState.COLLECTED, 0, -1, "M0");
    expect(held(await hold(3)).heldCompartmentId).toBe("M1");
    await move(hard, ReservationState.CANCELLED, -1, 0);
    expect(held(await hold(4)).heldCompartmentId).toBe("M0");
  });

  it("is known to the site's agent before it is confirmed, unlike a soft hold", async () => {
    await hold(1, HoldKind.SOFT);
    expect([await records.reservations.allowedAt(siteId), (await records.allowedChanges.version(siteId)).number]).toEqual([[], 0]);
    const hard = held(await hold(2));
    expect(await records.reservations.allowedAt(siteId)).toEqual([{ reservation: hard, pin: undefined }]);
    expect((await records.allowedChanges.version(siteId)).number).toBe(1);
  });

  it("is neither found nor taken at a site that reports its counts, until the reporting ends", async () => {
    const query = plainQuery(origin, { isHard: true });
    const found = async () => (await records.nearest(query)).length;
    expect(await found()).toBe(1);
    await report(false, 1000);
    expect([await found(), (await hold(1)).tag, (await hold(2, HoldKind.SOFT)).tag]).toEqual([0, "none", "held"]);
    // A change of its facts does not change that.
    await records.sites.put(siteWithNames({ ...origin, classes: [["M", 400, 200, 500, 20_000, 2]] }, { name: "Renamed" }), 0);
    expect([await found(), (await hold(3)).tag]).toEqual([0, "none"]);
    await report(true, 2000);
    expect([await found(), (await hold(4)).tag]).toEqual([1, "held"]);
  });

  it("is not taken at a site that lists no compartments", async () => {
    await records.sites.put(siteWithNames({ ...origin, classes: [["M", 400, 200, 500, 20_000, 2]] }, { compartments: [] }), 0);
    expect(await records.nearest(plainQuery(origin, { isHard: true }))).toEqual([]);
    expect((await hold(1)).tag).toBe("none");
  });

  it("prevents its compartment from being removed or changing its size class, as a parcel does", async () => {
    const classes: [string, number, number, number, number, number][] = [["M", 400, 200, 500, 20_000, 2]];
    const doors = (...ids: string[]) => ({ compartments: ids.map((compartmentId) => ({ compartmentId, sizeClassId: "M" })) });
    const put = (...ids: string[]) => records.sites.put(siteWithNames({ ...origin, classes }, doors(...ids)), 0);
    const refused = { reason: "CAPACITY_IN_USE", metadata: { site_id: siteId, size_class_id: "M" } };
    const hard = held(await hold(1));
    await expect(put("M1", "M2")).rejects.toMatchObject(refused);
    await expect(records.sites.check([siteWithNames({ ...origin, classes }, doors("M1", "M2"))])).rejects.toMatchObject(refused);
    await expect(put("M2", "M0")).resolves.toMatchObject({ outcome: "updated" });
    const inside = await move(hard, ReservationState.DEPOSITED, -1, 1, "M2");
    await expect(put("M0", "M1")).rejects.toMatchObject(refused);
    await move(inside, ReservationState.COLLECTED, 0, -1, "M2");
    await expect(put("M0", "M1")).resolves.toMatchObject({ outcome: "updated" });
    const { region, siteNumber } = parseSiteId(siteId) as { region: Region; siteNumber: number };
    expect(await redis.client.exists(records.keys.siteCompartments(region, siteNumber))).toBe(0);
  });
});
