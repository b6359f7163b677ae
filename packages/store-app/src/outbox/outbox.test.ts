import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { BeginDeliverySchema, Direction, type Entry, EntrySchema, ScanParcelSchema } from "@petak/protocol/counter";
import { expect, test } from "vitest";
import type { CounterPort } from "../counter/port.ts";
import { cutLine } from "../testing/cut-line.ts";
import { madeUpStore, nowMs } from "../testing/open-app.ts";
import { createMemory } from "./memory.ts";
import { openOutbox } from "./outbox.ts";

const deliveryId = crypto.randomUUID();

function entry(action: Entry["action"]): Entry {
  return create(EntrySchema, { entryId: crypto.randomUUID(), madeAt: timestampFromMs(nowMs), clerkId: "practice", action });
}

const begin = () => entry({ case: "beginDelivery", value: create(BeginDeliverySchema, { deliveryId, direction: Direction.IN }) });
const scan = (label: string) => entry({ case: "scanParcel", value: create(ScanParcelSchema, { deliveryId, label }) });

/** An outbox, and the ids of what was answered, in order. */
async function open(port: CounterPort, store = createMemory()) {
  const answered: string[] = [];
  const failed: string[] = [];
  const outbox = await openOutbox(store, port, ({ entryId }, result) => (result === undefined ? failed : answered).push(entryId));
  return { outbox, answered, failed, store };
}

test("what was done without a connection is sent in its order once there is one, also by another page", async () => {
  const line = cutLine(madeUpStore());
  line.cut = "before";
  const { outbox, answered, store } = await open(line.port);
  const entries = [begin(), scan("JX4818001A1"), scan("JX4818002A2")];
  for (const one of entries) await outbox.add(one);
  expect([outbox.waiting, answered]).toEqual([3, []]);
  const reloaded = await open(line.port, store);
  expect(reloaded.outbox.waiting).toBe(3);
  line.cut = undefined;
  expect(await reloaded.outbox.flush()).toBe(true);
  expect(reloaded.answered).toEqual(entries.map(({ entryId }) => entryId));
  expect(reloaded.outbox.waiting).toBe(0);
});

test("an entry whose answer was lost is sent again, and done once", async () => {
  const port = madeUpStore();
  const line = cutLine(port);
  const { outbox, answered } = await open(line.port);
  await outbox.add(begin());
  line.cut = "after";
  await outbox.add(scan("JX4818001A1"));
  expect(outbox.waiting).toBe(1);
  line.cut = undefined;
  await outbox.flush();
  expect(answered).toHaveLength(2);
  expect((await port.getCounter()).deliveries[0]?.parcels.map(({ label }) => label)).toEqual(["JX4818001A1"]);
});

test("an entry that the agent cannot take holds up no other", async () => {
  const port = madeUpStore();
  const bad = scan("JX4818001A1");
  const line = cutLine({
    ...port,
    submit: (entries) =>
      entries.some(({ entryId }) => entryId === bad.entryId) ? Promise.reject(new Error("invalid_argument")) : port.submit(entries),
  });
  line.cut = "before";
  const { outbox, answered, failed } = await open(line.port);
  const good = [begin(), scan("JX4818002A2")];
  for (const one of [good[0], bad, good[1]]) if (one !== undefined) await outbox.add(one);
  line.cut = undefined;
  expect(await outbox.flush()).toBe(true);
  expect(answered).toEqual(good.map(({ entryId }) => entryId));
  expect(failed).toEqual([bad.entryId]);
});

test("entries that are made while others are being sent are sent too", async () => {
  const { outbox, answered } = await open(madeUpStore());
  await Promise.all([begin(), scan("JX4818001A1"), scan("JX4818002A2")].map((one) => outbox.add(one)));
  expect([outbox.waiting, answered.length]).toEqual([0, 3]);
});

test("a photo goes before the entries that name it, and waits where they wait", async () => {
  const port = madeUpStore();
  const line = cutLine(port);
  line.cut = "before";
  const { outbox } = await open(line.port);
  const photoId = crypto.randomUUID();
  await outbox.addPhoto(photoId, new Uint8Array([1, 2, 3, 4]));
  await outbox.add(begin());
  expect(await port.getPhoto(photoId)).toBeUndefined();
  line.cut = undefined;
  await outbox.flush();
  expect(await port.getPhoto(photoId)).toEqual(new Uint8Array([1, 2, 3, 4]));
});
