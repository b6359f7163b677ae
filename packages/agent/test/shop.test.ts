import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, DeviceEventType, type Money, MoneySchema, ParcelRequirement } from "@petak/protocol";
import { EntryRefusal } from "@petak/protocol/counter";
import { describe, expect, it } from "vitest";
import { startStore, type TestStore, tabletId } from "./store.ts";

const seenBy = ({ counter }: TestStore, isOwner = false) => counter.view({ clerk: { clerkId: "clerk-2", name: "Mai", isOwner }, tabletId });

const money = (units: bigint, currencyCode = "SGD"): Money => create(MoneySchema, { currencyCode, units });

describe("a shift", () => {
  it("ends with a blind count that names what is missing and what should not be there", async () => {
    const store = await startStore();
    const [first, second] = [await store.takesIn("BX 1"), await store.takesIn("BX 2")];
    const end = { case: "endShift" as const, value: { labels: ["bx 1", "ZZ 9"] } };
    expect(await store.does(end)).toMatchObject({ refusal: EntryRefusal.OVER });
    await store.does({ case: "beginShift", value: {} });
    expect(seenBy(store).shift).toMatchObject({ cash: [] });
    const { shiftCount } = await store.does(end);
    expect(shiftCount).toMatchObject({ expected: 2, counted: 2, missing: [second.reservationId], surplus: ["ZZ 9"] });
    expect(first.reservationId).not.toBe(second.reservationId);
    expect(seenBy(store).shift).toBeUndefined();
  });

  it("is reported with its counts and its till, under the clerk's id", async () => {
    const store = await startStore();
    const { gateway } = store;
    const { reservationId } = await store.takesIn("BX 1");
    await store.takesIn("BX 2");
    await gateway.allowPin(reservationId, "10000000", { cashDue: money(12n), requirements: [ParcelRequirement.CASH_ON_DELIVERY] });
    await store.agent.syncNow();
    const beganAt = timestampFromMs(store.timers.now());
    await store.does({ case: "beginShift", value: {} });
    const { handOver } = await store.shows("10000000");
    const { handOverId = "" } = handOver ?? {};
    const checksDone = [ParcelRequirement.CASH_ON_DELIVERY];
    await store.does({ case: "moveParcel", value: { handOverId, label: "BX 1", checksDone, cashCollected: money(12n) } });
    await store.does({ case: "endShift", value: { labels: ["ZZ 9", "ZZ 8"], cash: [money(10n), money(3n, "USD")] } });
    await store.does({ case: "beginShift", value: {} });
    await store.does({ case: "endShift", value: { counted: 4 } });
    await store.agent.flushed();
    const counted = gateway.events.filter(({ type }) => type === DeviceEventType.SHIFT_COUNTED);
    const cash = [
      { currencyCode: "SGD", expectedUnits: 12n, countedUnits: 10n },
      { currencyCode: "USD", expectedUnits: 0n, countedUnits: 3n },
    ];
    expect(counted).toMatchObject([
      { clerkId: "clerk-2", reservationId: "", countedShift: { beganAt, expected: 1, counted: 2, missing: 1, surplus: 2, cash } },
      { clerkId: "clerk-2", countedShift: { expected: 1, counted: 4, missing: 0, surplus: 3, cash: [] } },
    ]);
  });

  it("is not reported to an earlier gateway, which would take no report after it", async () => {
    const store = await startStore();
    store.gateway.takesHandoverLists = false;
    await store.agent.syncNow();
    await store.does({ case: "beginShift", value: {} });
    expect((await store.does({ case: "endShift", value: { counted: 1 } })).shiftCount).toMatchObject({ expected: 0, counted: 1 });
    await store.agent.flushed();
    expect(store.gateway.events).toEqual([]);
  });
});

describe("what a store takes in", () => {
  it("is all that it has room for, or what its clerk says, and a pause ends by itself", async () => {
    const store = await startStore();
    await store.takesIn("BX 1");
    expect(seenBy(store).takes).toMatchObject([{ sizeClassId: "S", more: 2, free: 2 }, { sizeClassId: "L" }]);
    await store.does({ case: "setIntake", value: {} });
    expect(seenBy(store).takes).toMatchObject([{ sizeClassId: "S", more: 2, free: 2 }, { sizeClassId: "L" }]);
    await store.does({ case: "setIntake", value: { limits: [{ sizeClassId: "S", more: 1 }] } });
    expect(seenBy(store)).toMatchObject({ intakePaused: false, takes: [{ sizeClassId: "S", more: 1, free: 2 }, { sizeClassId: "L" }] });
    const pausedUntil = { seconds: BigInt(store.timers.now() / 1000 + 3600), nanos: 0 };
    await store.does({ case: "setIntake", value: { isPaused: true, pausedUntil } });
    expect(seenBy(store)).toMatchObject({ intakePaused: true, pausedUntil });
    store.timers.advance(3_600_000);
    expect(seenBy(store).intakePaused).toBe(false);
  });
});

describe("what an owner sees", () => {
  it("is what was handled this month; a clerk does not", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("BX 1");
    const { handOver } = await store.shows(await store.gateway.token(Act.COLLECT, reservationId));
    await store.moves(handOver?.handOverId, "BX 1");
    expect(seenBy(store, true).month).toMatchObject({ month: "2026-11", takenIn: 1, handedOver: 1, accepted: 0, givenBack: 0 });
    expect(seenBy(store).month).toBeUndefined();
  });
});

describe("a photo", () => {
  it("is kept at the store for 30 days, and leaves on time", async () => {
    const { counter, timers } = await startStore();
    const [photoId, jpeg] = [randomUUID(), Uint8Array.of(0xff, 0xd8, 0xff, 0xe0)];
    const untilMs = timers.now() + 30 * 86_400_000;
    expect([counter.putPhoto(photoId, jpeg), counter.putPhoto(photoId, jpeg)]).toEqual([untilMs, untilMs]);
    expect(counter.photo(photoId)).toEqual(jpeg);
    timers.advance(30 * 86_400_000);
    expect(counter.photo(photoId)).toBeUndefined();
  });
});
