import { Act } from "@petak/protocol";
import { EndReason } from "@petak/protocol/counter";
import { createRandom, testSeed } from "@petak/testkit";
import { expect, test } from "vitest";
import { announce, begin, close, scan, shelfOf120 } from "./shelf-of-120.ts";
import { startStore } from "./store.ts";

test("each of 120 parcels gets a free place of its size, and its code shows the place at once, whatever clerks choose", async () => {
  const random = createRandom(testSeed());
  const store = await startStore(undefined, shelfOf120);
  const labels = shelfOf120.map(({ sizeClassId }, at) => ({ label: `BX ${at}`, sizeClassId }));
  const ids = new Map<string, string>();
  for (const { label, sizeClassId } of random.shuffle(labels)) ids.set(label, await announce(store, label, sizeClassId));
  const placed = new Map<string, string>();
  const deliveryId = await begin(store);
  for (const { label, sizeClassId } of random.shuffle(labels)) {
    const free = shelfOf120.filter((one) => one.sizeClassId === sizeClassId && ![...placed.values()].includes(one.compartmentId));
    const own = random.bool(0.2) ? random.pick(free).compartmentId : "";
    const place = await scan(store, deliveryId, label, own);
    expect(free.map(({ compartmentId }) => compartmentId)).toContain(place);
    placed.set(label, place);
  }
  await close(store, deliveryId);
  for (const [label, place] of placed) {
    const { handOver } = await store.shows(await store.gateway.token(Act.COLLECT, ids.get(label) ?? ""));
    expect(handOver).toMatchObject({ shelfPlace: place });
    await store.does({ case: "endHandOver", value: { handOverId: handOver?.handOverId ?? "", reason: EndReason.NOT_NOW } });
  }
});
