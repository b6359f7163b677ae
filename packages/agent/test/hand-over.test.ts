import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { Act, MoneySchema, ParcelRequirement, ProofKind, ReservationState } from "@petak/protocol";
import { EndReason, EntryRefusal, ParcelPlace } from "@petak/protocol/counter";
import { describe, expect, it } from "vitest";
import { pin } from "./site.ts";
import { startStore, type TestStore, tabletId } from "./store.ts";

const end = (handOverId = "", reason: EndReason) => ({ case: "endHandOver" as const, value: { handOverId, reason } });

/** What the gateway has heard, with the clerk and the reason of each. */
async function reports({ agent, gateway }: TestStore): Promise<string[]> {
  await agent.flushed();
  const names = gateway.eventNames();
  return gateway.events.map(({ clerkId, refusal }, index) => [names[index], clerkId, refusal].filter(Boolean).join(" "));
}

describe("a hand-over at a counter", () => {
  it("shows the place, takes the scan of the parcel, and is reported with its clerk", async () => {
    const store = await startStore();
    const { reservationId, placeId } = await store.takesIn("SHOP-0001");
    expect(placeId).toBe("A1");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const shown = await store.shows(token, { clerkId: "clerk-1" });
    expect(shown).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    expect(shown.handOver).toMatchObject({ act: Act.COLLECT, shelfPlace: "A1", labelEnding: "P-0001", number: 1, of: 1 });
    expect(await store.moves(shown.handOver?.handOverId, " shop-0001")).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    const takenIn = ["DOOR_OPENED clerk-2", "DOOR_CLOSED clerk-2", "PARCEL_DEPOSITED clerk-2"];
    expect(await reports(store)).toEqual([...takenIn, "DOOR_OPENED clerk-1", "DOOR_CLOSED clerk-2", "PARCEL_COLLECTED clerk-2"]);
    expect(store.gateway.events[5]).toMatchObject({ proofKind: ProofKind.ACCESS_TOKEN, reservationId, compartmentId: "A1" });
    expect(store.store.visits()).toEqual([]);
    expect(await store.shows(token)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
  });

  it("refuses a wrong parcel, reports it, and goes on", async () => {
    const store = await startStore();
    await store.takesIn("SHOP-0001");
    const { reservationId } = await store.takesIn("SHOP-0002");
    const { handOver } = await store.shows(await store.gateway.token(Act.COLLECT, reservationId));
    expect(await store.moves(handOver?.handOverId, "SHOP-0001")).toMatchObject({ refusal: EntryRefusal.WRONG_PARCEL });
    expect(await store.moves(handOver?.handOverId, "place:A2")).toMatchObject({ refusal: EntryRefusal.WRONG_PARCEL });
    expect((await reports(store)).slice(-2)).toEqual(["DOOR_REFUSED clerk-2 WRONG_PARCEL", "DOOR_REFUSED clerk-2 WRONG_PARCEL"]);
    expect(await store.moves(handOver?.handOverId, "SHOP-0002")).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
  });

  it("asks for the checks that the parcel needs, and takes in only the parcel whose label was announced", async () => {
    const store = await startStore();
    const { gateway, agent } = store;
    const reservationId = gateway.newReservation();
    const { AGE_CHECK, NO_LOCKER } = ParcelRequirement;
    const cashDue = create(MoneySchema, { currencyCode: "SGD", units: 12n });
    const asks = { labelCodes: ["BX 77"], requirements: [AGE_CHECK, NO_LOCKER], cashDue };
    await gateway.allowPin(reservationId, pin, { act: Act.DEPOSIT, ...asks });
    await agent.syncNow();
    const takeIn = (await store.shows(await gateway.token(Act.DEPOSIT, reservationId))).handOver;
    expect(await store.moves(takeIn?.handOverId, "BX 78")).toMatchObject({ refusal: EntryRefusal.WRONG_PARCEL });
    expect(await store.moves(takeIn?.handOverId, "bx 77")).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    const { handOver } = await store.shows(await gateway.token(Act.COLLECT, reservationId));
    expect(handOver?.requirements).toEqual([AGE_CHECK]);
    const { handOverId = "" } = handOver ?? {};
    expect(await store.moves(handOverId, "BX 77")).toMatchObject({ refusal: EntryRefusal.CHECK_MISSING });
    const checked = { handOverId, label: "BX 77", checksDone: [AGE_CHECK] };
    expect(await store.does({ case: "moveParcel", value: checked })).toMatchObject({ refusal: EntryRefusal.CHECK_MISSING });
    const paid = { ...checked, cashCollected: cashDue };
    expect(await store.does({ case: "moveParcel", value: paid })).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    await agent.flushed();
    expect(gateway.events.at(-1)).toMatchObject({ checksDone: [AGE_CHECK], cashCollected: { currencyCode: "SGD", units: 12n } });
    expect(gateway.events.slice(0, -1).every(({ checksDone }) => checksDone.length === 0)).toBe(true);
  });

  it("keeps the label and the checks with which it began, whatever becomes of its reservation meanwhile", async () => {
    const store = await startStore();
    const { gateway, agent, counter } = store;
    const cashDue = create(MoneySchema, { currencyCode: "SGD", units: 12n });
    const reservationIds = [gateway.newReservation(), gateway.newReservation()] as const;
    const [comes, goes] = reservationIds;
    for (const reservationId of reservationIds)
      await gateway.allowPin(reservationId, pin, { act: Act.DEPOSIT, labelCodes: [`BX ${reservationId}`], cashDue });
    await agent.syncNow();
    const first = (await store.shows(await gateway.token(Act.DEPOSIT, goes))).handOver;
    await store.moves(first?.handOverId, `BX ${goes}`);
    const takeIn = (await store.shows(await gateway.token(Act.DEPOSIT, comes))).handOver;
    const giving = (await store.shows(await gateway.token(Act.COLLECT, goes))).handOver;
    await agent.flushed();
    gateway.allowances.length = 0;
    gateway.changed();
    await agent.syncNow();
    const { handOvers } = counter.view({ clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId });
    expect(handOvers.map(({ labelEnding, cashDue: due }) => [labelEnding, due?.units])).toEqual([
      [comes.slice(-6), undefined],
      [goes.slice(-6), 12n],
    ]);
    expect(await store.moves(takeIn?.handOverId, "BX 78")).toMatchObject({ refusal: EntryRefusal.WRONG_PARCEL });
    expect(await store.moves(takeIn?.handOverId, `BX ${comes}`)).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    const value = { handOverId: giving?.handOverId ?? "", label: `BX ${goes}` };
    expect(await store.does({ case: "moveParcel", value })).toMatchObject({ refusal: EntryRefusal.CHECK_MISSING });
    const paid = { case: "moveParcel" as const, value: { ...value, cashCollected: cashDue } };
    expect(await store.does(paid)).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
  });

  it("gives several parcels for one code, one after the other", async () => {
    const store = await startStore();
    const parcels = [await store.takesIn("SHOP-0001"), await store.takesIn("place:A2"), await store.takesIn("SHOP-0003")];
    await store.gateway.allowBundle(
      "bun_1",
      parcels.map(({ reservationId }) => reservationId),
      { pin },
    );
    await store.agent.syncNow();
    const first = (await store.shows("1234 5678")).handOver;
    expect(first).toMatchObject({ number: 1, of: 3, shelfPlace: "A1" });
    const second = (await store.moves(first?.handOverId, "SHOP-0001")).handOver;
    expect(second).toMatchObject({ number: 2, of: 3, shelfPlace: "A2", labelEnding: "" });
    const third = (await store.moves(second?.handOverId, "place:A2")).handOver;
    expect(third).toMatchObject({ number: 3, of: 3, shelfPlace: "A3" });
    expect((await store.moves(third?.handOverId, "SHOP-0003")).handOver).toBeUndefined();
    expect((await reports(store)).filter((line) => line.startsWith("PARCEL_COLLECTED"))).toHaveLength(3);
  });

  it("that comes to nothing leaves the parcel and the code as they were", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const { handOver } = await store.shows(token);
    expect(await store.does(end(handOver?.handOverId, EndReason.NOT_NOW))).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    expect(await store.does(end(handOver?.handOverId, EndReason.NOT_NOW))).toMatchObject({ refusal: EntryRefusal.OVER });
    expect((await reports(store)).at(-1)).toBe("DOOR_CLOSED clerk-2 NOT_NOW");
    const again = (await store.shows(token)).handOver;
    expect(await store.moves(again?.handOverId, "SHOP-0001")).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    expect(await store.shows(token)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
  });

  it("whose parcel cannot be found is in doubt, until it is found on another place", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const { handOver } = await store.shows(token);
    await store.does(end(handOver?.handOverId, EndReason.CANNOT_FIND));
    expect((await reports(store)).slice(-2)).toEqual(["DOOR_CLOSED clerk-2 CANNOT_FIND", "DOUBT clerk-2"]);
    expect(store.counter.parcels().parcels).toMatchObject([{ reservationId, place: ParcelPlace.MISSING, shelfPlace: "A1" }]);
    expect(await store.shows(token)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
    const place = (shelfPlace: string) => ({ case: "placeParcel" as const, value: { reservationId, shelfPlace } });
    expect(await store.does(place("Z9"))).toMatchObject({ refusal: EntryRefusal.NO_PLACE });
    await store.does(place("A3"));
    expect(store.counter.parcels().parcels).toMatchObject([{ reservationId, place: ParcelPlace.ON_SHELF, shelfPlace: "A3" }]);
    const found = (await store.shows(token)).handOver;
    expect(found).toMatchObject({ shelfPlace: "A3" });
    await store.moves(found?.handOverId, "SHOP-0001");
    expect((await reports(store)).at(-1)).toBe("PARCEL_COLLECTED clerk-2");
  });

  it("whose parcel cannot be found leaves its place to others once the gateway has heard of it and says what became of it", async () => {
    const store = await startStore();
    const { gateway } = store;
    const { reservationId, placeId } = await store.takesIn("SHOP-0001");
    const { handOver } = await store.shows(await gateway.token(Act.COLLECT, reservationId));
    gateway.isUp = false;
    await store.does(end(handOver?.handOverId, EndReason.CANNOT_FIND));
    gateway.isUp = true;
    // The reports are on their way.
    await store.agent.syncNow();
    expect(store.counter.parcels().parcels).toMatchObject([{ reservationId, place: ParcelPlace.MISSING }]);
    await store.agent.flushed();
    await gateway.allowPin(reservationId, "10000000");
    await store.agent.syncNow();
    expect(store.counter.parcels().parcels).toMatchObject([{ reservationId, place: ParcelPlace.MISSING }]);
    // The operator says what became of it, and the gateway names it as long as its deposit token may be in circulation.
    gateway.allowances.length = 0;
    await gateway.allowPin(reservationId, "10000000", { act: Act.DEPOSIT, state: ReservationState.COLLECTED });
    await store.agent.syncNow();
    await expect.poll(() => store.counter.parcels().parcels).toEqual([]);
    expect(await store.takesIn("SHOP-0002")).toMatchObject({ placeId });
  });

  it("that the person refuses leaves the parcel to the courier, and the code spent", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const { handOver } = await store.shows(token);
    await store.does(end(handOver?.handOverId, EndReason.REFUSED_BY_PERSON));
    expect(store.counter.parcels().parcels).toMatchObject([{ place: ParcelPlace.FOR_COURIER }]);
    expect(await store.shows(token)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
  });

  it("stays on the tablet that has it in hand, and any tablet can end it", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const { handOver } = await store.shows(token);
    const other = { tabletId: randomUUID() };
    expect(await store.shows(token, other)).toMatchObject({ refusal: EntryRefusal.OTHER_TABLET });
    expect((await store.shows(token)).handOver?.handOverId).toBe(handOver?.handOverId);
    const move = { case: "moveParcel" as const, value: { handOverId: handOver?.handOverId ?? "", label: "SHOP-0001" } };
    expect(await store.does(move, other)).toMatchObject({ refusal: EntryRefusal.OTHER_TABLET });
    await store.does(end(handOver?.handOverId, EndReason.NOT_NOW), other);
    expect((await store.shows(token, other)).handOver).toMatchObject({ tabletId: other.tabletId });
  });

  it("is taken once, however often a tablet sends it, and after a power cut too", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const text = await store.gateway.token(Act.COLLECT, reservationId);
    const show = { case: "showCode" as const, value: { text } };
    const [shownId, movedId] = [randomUUID(), randomUUID()];
    const shown = await store.does(show, { entryId: shownId });
    expect(await store.does(show, { entryId: shownId })).toEqual(shown);

    const cut = await store.afterPowerCut();
    expect(await cut.does(show, { entryId: shownId })).toEqual(shown);
    expect(cut.counter.view({ clerk: { clerkId: "clerk-2", name: "", isOwner: false }, tabletId: "" }).handOvers).toHaveLength(1);
    const move = { case: "moveParcel" as const, value: { handOverId: shown.handOver?.handOverId ?? "", label: "SHOP-0001" } };
    expect(await cut.does(move, { entryId: movedId })).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });

    const again = await cut.afterPowerCut();
    expect(await again.does(move, { entryId: movedId })).toMatchObject({ refusal: EntryRefusal.UNSPECIFIED });
    expect(again.store.visits()).toEqual([]);
    expect(again.shelf.occupancy("A1")).toBe("EMPTY");
  });
});
