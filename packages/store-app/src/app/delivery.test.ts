import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Condition, DeliverySchema, Direction, EntryRefusal, RefusalReason } from "@petak/protocol/counter";
import { expect, test } from "vitest";
import { createMemory } from "../outbox/memory.ts";
import { cutLine } from "../testing/cut-line.ts";
import { madeUpStore, openApp } from "../testing/open-app.ts";
import type { App } from "./app.ts";
import {
  agreeCount,
  beginDelivery,
  closeDelivery,
  countMoved,
  leftDelivery,
  listed,
  sayOfParcel,
  scanForDelivery,
  unscan,
} from "./delivery.ts";

/** The list on the screen: each label, with whether it waits. */
function onScreen(app: App): string[] {
  const draft = app.draft.delivery;
  return draft === undefined
    ? []
    : listed(app, draft).map(({ parcel, isWaiting }) => `${parcel.label} ${parcel.shelfPlace}${isWaiting ? " waits" : ""}`);
}

test("a courier's parcels are scanned, counted and signed; a refused one does not count", async () => {
  const port = madeUpStore();
  const app = await openApp(port, createMemory());
  await beginDelivery(app, Direction.IN);
  for (const label of ["JX4818001A1", "JX4818002A2", "JX4818003A3"]) await scanForDelivery(app, label);
  await scanForDelivery(app, "XX0000000");
  expect(app.draft.delivery?.refusal).toBe(EntryRefusal.NOT_ANNOUNCED);
  await sayOfParcel(app, { label: "JX4818002A2", condition: Condition.REFUSED, refusalReason: RefusalReason.DAMAGED });
  await unscan(app, "JX4818003A3");
  expect(onScreen(app)).toEqual(["JX4818002A2 A-07", "JX4818001A1 A-06"]);
  await agreeCount(app);
  await scanForDelivery(app, "COURIER-0");
  expect(app.draft.delivery).toMatchObject({ step: "sign", refusal: EntryRefusal.LIST_DIFFERS });
  await scanForDelivery(app, "COURIER-7");
  expect(app.draft.delivery).toMatchObject({ step: "closed", delivery: { isSigned: true } });
  expect((await port.getCounter()).month?.accepted).toBe(1);
});

test("without the agent parcels that are expected are accepted, others are not, and all of it is sent once", async () => {
  const port = madeUpStore();
  const line = cutLine(port);
  const store = createMemory();
  const app = await openApp(line.port, store);
  await beginDelivery(app, Direction.IN);
  await scanForDelivery(app, "JX4818001A1");
  line.cut = "after";
  await scanForDelivery(app, "jx4818002a2");
  await scanForDelivery(app, "XX0000000");
  expect(app.draft.delivery?.refusal).toBe(EntryRefusal.CANNOT_ASK);
  const reloaded = await openApp(line.port, store);
  expect(onScreen(reloaded)).toEqual(["jx4818002a2 A-07 waits", "JX4818001A1 A-06"]);
  line.cut = "before";
  await agreeCount(reloaded);
  await closeDelivery(reloaded, "");
  expect([reloaded.draft.delivery?.step, countMoved(listed(reloaded, reloaded.draft.delivery ?? expect.fail()))]).toEqual(["closed", 2]);
  line.cut = undefined;
  await reloaded.heard(await port.getCounter());
  expect([reloaded.waiting, reloaded.notTaken]).toEqual([0, []]);
  expect((await port.getCounter()).month?.accepted).toBe(2);
});

test("a delivery that another tablet began and left half an hour ago is offered here; this tablet's own comes first", () => {
  const began = (deliveryId: string, tabletId: string, atMs: number) =>
    create(DeliverySchema, { deliveryId, tabletId, beganAt: timestampFromMs(atMs) });
  const minuteMs = 60_000;
  const deliveries = [began("d-1", "other", 0), began("d-2", "mine", 20 * minuteMs)];
  const leftAt = (nowMs: number, some = deliveries) => leftDelivery({ deliveries: some }, "mine", nowMs)?.deliveryId;
  expect(leftAt(31 * minuteMs)).toBe("d-2");
  expect(leftAt(30 * minuteMs, deliveries.slice(0, 1))).toBeUndefined();
  expect(leftAt(31 * minuteMs, deliveries.slice(0, 1))).toBe("d-1");
});
