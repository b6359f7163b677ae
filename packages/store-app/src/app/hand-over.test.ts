import { ParcelRequirement } from "@petak/protocol";
import { EndReason, EntryRefusal, ParcelPlace } from "@petak/protocol/counter";
import { expect, test } from "vitest";
import { createMemory } from "../outbox/memory.ts";
import { cutLine } from "../testing/cut-line.ts";
import { madeUpStore, openApp } from "../testing/open-app.ts";
import { endHandOver, scanForHandOver, tick, tickCash } from "./hand-over.ts";

test("two scans hand a parcel over, and a third begins the next hand-over", async () => {
  const app = await openApp(madeUpStore(), createMemory());
  await scanForHandOver(app, "482913");
  expect(app.draft.handOver?.handOver?.shelfPlace).toBe("B-07");
  await scanForHandOver(app, "JX4817724K2");
  expect(app.draft.handOver?.outcome).toBe("handed-over");
  await scanForHandOver(app, "619240");
  expect(app.draft.handOver?.handOver?.shelfPlace).toBe("C-04");
});

test("a code that opens nothing and a wrong parcel are refused, and the right parcel goes on from there", async () => {
  const app = await openApp(madeUpStore(), createMemory());
  await scanForHandOver(app, "000000");
  expect(app.draft.handOver).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
  await scanForHandOver(app, "482913");
  await scanForHandOver(app, "PT20093118X");
  expect(app.draft.handOver).toMatchObject({ refusal: EntryRefusal.WRONG_PARCEL });
  await scanForHandOver(app, "JX4817724K2");
  expect(app.draft.handOver?.outcome).toBe("handed-over");
});

test("a parcel moves only after each check is ticked and its cash received", async () => {
  const app = await openApp(madeUpStore(), createMemory());
  await scanForHandOver(app, "619240");
  await scanForHandOver(app, "PT20093340R");
  expect(app.draft.handOver).toMatchObject({ refusal: EntryRefusal.CHECK_MISSING });
  tick(app, ParcelRequirement.AGE_CHECK);
  await scanForHandOver(app, "PT20093340R");
  expect(app.draft.handOver?.outcome).toBe("handed-over");
  await scanForHandOver(app, "205518");
  tickCash(app);
  await scanForHandOver(app, "JX4817900Q3");
  expect(app.draft.handOver?.outcome).toBe("handed-over");
});

test("the parcels of one code follow one another", async () => {
  const app = await openApp(madeUpStore(), createMemory());
  await scanForHandOver(app, "730155");
  expect(app.draft.handOver?.handOver).toMatchObject({ shelfPlace: "A-02", number: 1, of: 2 });
  await scanForHandOver(app, "JX4817811M7");
  expect(app.draft.handOver?.handOver).toMatchObject({ shelfPlace: "C-01", number: 2, of: 2 });
  await scanForHandOver(app, "PT20093118X");
  expect(app.draft.handOver?.outcome).toBe("handed-over");
});

test("a code that is still before the camera is no parcel, and a label no next code, also after a reload", async () => {
  const [port, store] = [madeUpStore(), createMemory()];
  await scanForHandOver(await openApp(port, store), "482913");
  const again = await openApp(port, store);
  await scanForHandOver(again, "482913");
  expect([again.draft.handOver?.handOver?.shelfPlace, again.draft.handOver?.refusal]).toEqual(["B-07", undefined]);
  await scanForHandOver(again, "JX4817724K2");
  const last = await openApp(port, store);
  await scanForHandOver(last, "JX4817724K2");
  expect([last.draft.handOver?.outcome, last.draft.handOver?.refusal]).toEqual(["handed-over", undefined]);
  // It is nowhere on the tablet any more.
  expect(last.draft.handOver?.code).toBeUndefined();
});

test("a reload in the middle of a hand-over goes on where it was, with what was ticked", async () => {
  const [port, store] = [madeUpStore(), createMemory()];
  const before = await openApp(port, store);
  await scanForHandOver(before, "619240");
  tick(before, ParcelRequirement.AGE_CHECK);
  const after = await openApp(port, store);
  expect(after.draft).toEqual(before.draft);
  await scanForHandOver(after, "PT20093340R");
  expect(after.draft.handOver?.outcome).toBe("handed-over");
});

test("without a connection no hand-over begins and nothing of it is kept; one under way is finished, and sent later", async () => {
  const port = madeUpStore();
  const line = cutLine(port);
  const app = await openApp(line.port, createMemory());
  await scanForHandOver(app, "482913");
  line.cut = "before";
  await scanForHandOver(app, "JX4817724K2");
  expect([app.draft.handOver?.outcome, app.waiting]).toEqual(["sent-later", 1]);
  await scanForHandOver(app, "619240");
  expect([app.draft.handOver, app.waiting]).toEqual([{ checks: [], isCashTaken: false, isCutOff: true }, 1]);
  line.cut = undefined;
  await app.heard(await port.getCounter());
  expect([app.waiting, app.notTaken]).toEqual([0, []]);
  await app.heard(await port.getCounter());
  expect(app.parcels.some(({ labelCodes }) => labelCodes.includes("JX4817724K2"))).toBe(false);
});

test("a wrong parcel is refused without a connection too, by what the tablet knows", async () => {
  const line = cutLine(madeUpStore());
  const app = await openApp(line.port, createMemory());
  await scanForHandOver(app, "482913");
  line.cut = "before";
  app.lost();
  await scanForHandOver(app, "PT20093118X");
  expect([app.draft.handOver?.refusal, app.waiting]).toEqual([EntryRefusal.WRONG_PARCEL, 0]);
});

test("what is refused after its screen was left is shown until a clerk has seen it", async () => {
  const port = madeUpStore();
  const line = cutLine(port);
  const store = createMemory();
  const app = await openApp(line.port, store);
  await scanForHandOver(app, "482913");
  line.cut = "before";
  await scanForHandOver(app, "JX4817724K2");
  app.setDraft({ handOver: undefined });
  // Another tablet ended it meanwhile.
  const elsewhere = await openApp(port, createMemory());
  elsewhere.setDraft({ handOver: { checks: [], isCashTaken: false, handOver: (await port.getCounter()).handOvers[0] } });
  await endHandOver(elsewhere, EndReason.NOT_NOW);
  line.cut = undefined;
  const reloaded = await openApp(line.port, store);
  expect(reloaded.notTaken).toMatchObject([{ action: "moveParcel", refusal: EntryRefusal.OVER }]);
  reloaded.dismissNotTaken();
  expect((await openApp(line.port, store)).notTaken).toEqual([]);
});

test("a parcel that cannot be found is marked, and is back when it is placed again", async () => {
  const app = await openApp(madeUpStore(), createMemory());
  await scanForHandOver(app, "482913");
  await endHandOver(app, EndReason.CANNOT_FIND);
  expect(app.draft.handOver?.outcome).toBe("missing");
  await app.heard(await app.port.getCounter());
  expect(app.parcels.find(({ shelfPlace }) => shelfPlace === "B-07")?.place).toBe(ParcelPlace.MISSING);
});

test("the customer's code that still lies before the camera is no wrong parcel", async () => {
  const app = await openApp(madeUpStore(), createMemory());
  await scanForHandOver(app, "482913");
  await scanForHandOver(app, "482913");
  expect(app.draft.handOver?.refusal).toBeUndefined();
});
