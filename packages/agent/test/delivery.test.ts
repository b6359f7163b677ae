import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { generateKeyPair } from "@petak/client/node";
import { courierCode, isHandoverProof, publicKeyOf, readSiteCode, signDriverCertificate } from "@petak/credential";
import { Act, AllowanceSchema, CodeStanding, ProofKind, ReservationState } from "@petak/protocol";
import { Condition, Direction, EntryRefusal, type ScanParcel } from "@petak/protocol/counter";
import { describe, expect, it } from "vitest";
import { siteId } from "./agent-gateway.ts";
import { startStore, type TestStore, tabletId } from "./store.ts";

const courierId = "par_w8ase5n2ehjkbmbe";

/** A delivery at a store whose courier has announced three parcels, "BX 1" to "BX 3". */
async function startDelivery() {
  const store = await startStore();
  const { gateway, agent } = store;
  const company = await generateKeyPair();
  gateway.courierKeys.push({ courierId, keyId: "key_test_b", publicKey: company.publicKey });
  const reservationIds = [1, 2, 3].map(() => gateway.newReservation());
  for (const [index, reservationId] of reservationIds.entries())
    await gateway.allowPin(reservationId, `1000000${index}`, {
      act: Act.DEPOSIT,
      labelCodes: [`BX ${index + 1}`],
      participantId: courierId,
    });
  await agent.syncNow();
  const deliveryId = randomUUID();
  const scan = (label: string, changes: Partial<Pick<ScanParcel, "condition" | "shelfPlace">> = {}) =>
    store.does({ case: "scanParcel", value: { deliveryId, label, ...changes } });
  const agree = (count: number) => store.does({ case: "agreeCount", value: { deliveryId, count } });
  const close = (code = "") => store.does({ case: "closeDelivery", value: { deliveryId, courierCode: code } });
  await store.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } });
  return { store, reservationIds, deliveryId, scan, agree, close, company };
}

/** Signs what a store's code says, as a courier's driver does. */
async function signed(store: TestStore, company: Awaited<ReturnType<typeof generateKeyPair>>, storeCode: string): Promise<string> {
  const read = await readSiteCode(storeCode);
  if (typeof read === "string") throw new Error(`the store's code is none: ${read}`);
  const driver = await generateKeyPair();
  const from = Math.floor(store.timers.now() / 1000);
  const facts = { courierId, keyId: "key_test_b", driverKey: driver.publicKey, siteId: "", notBeforeS: from, notAfterS: from + 3600 };
  const certificate = await signDriverCertificate(company.privateJwk, facts);
  return await courierCode(read.statement, { key: driver.privateJwk, publicKey: driver.publicKey, certificate });
}

describe("a courier's delivery", () => {
  it("ends with one list that both sign, and each parcel is in the store's custody by it", async () => {
    const { store, reservationIds, scan, agree, close, company } = await startDelivery();
    expect((await scan("bx 1")).delivery).toMatchObject({ notScanned: 2, parcels: [{ shelfPlace: "A1" }] });
    expect((await scan("BX 2", { condition: Condition.DAMAGED })).delivery?.parcels[1]).toMatchObject({ shelfPlace: "A2" });
    expect((await scan("BX 3", { condition: Condition.REFUSED })).delivery?.parcels[2]).toMatchObject({ shelfPlace: "" });
    expect(await agree(3)).toMatchObject({ refusal: EntryRefusal.COUNT_DIFFERS });
    const { storeCode = "", listHash = "" } = (await agree(2)).delivery ?? {};
    const code = await signed(store, company, storeCode);
    expect(await close(`${code}x`)).toMatchObject({ refusal: EntryRefusal.LIST_DIFFERS });
    expect((await close(code)).delivery).toMatchObject({ isSigned: true, listHash });
    await store.agent.flushed();
    expect(store.gateway.eventNames()).toEqual(["HANDOVER_SIGNED", "PARCEL_DEPOSITED", "PARCEL_DEPOSITED"]);
    const [, first] = store.gateway.events;
    expect(first).toMatchObject({ proofKind: ProofKind.HANDOVER_LIST, credentialHash: listHash, clerkId: "clerk-2", compartmentId: "A1" });
    const [reservationId = ""] = reservationIds;
    const courierKeys = [{ courierId, keyId: "key_test_b", publicKey: company.publicKey }];
    const known = { siteId, siteKey: publicKeyOf(store.key.privateJwk), courierKeys, direction: "IN" as const, courierId, listHash };
    expect(await isHandoverProof(first?.handover ?? "", { ...known, reservationId })).toBe(true);
    const { handOver } = await store.shows(await store.gateway.token(Act.COLLECT, reservationId));
    expect(handOver).toMatchObject({ shelfPlace: "A1", labelEnding: "BX 1" });
  });

  it("takes a parcel off a list that was left, with its place, but off none whose count is agreed", async () => {
    const { store, scan, agree } = await startDelivery();
    await scan("BX 1");
    const deliveryId = randomUUID();
    await store.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } }, { tabletId: randomUUID() });
    const scanHere = (label: string) => store.does({ case: "scanParcel", value: { deliveryId, label } });
    expect((await scanHere("BX 1")).delivery?.parcels).toMatchObject([{ label: "BX 1" }]);
    const { deliveries } = store.counter.view({ clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId });
    expect(deliveries.map(({ parcels }) => parcels.length).toSorted()).toEqual([0, 1]);
    expect(store.shelf.compartments().filter(({ compartmentId }) => store.store.counter.isOccupied(compartmentId))).toHaveLength(1);
    await scan("BX 2");
    await agree(1);
    expect(await scanHere("BX 2")).toMatchObject({ refusal: EntryRefusal.IN_USE });
  });

  it("takes a parcel by its own deposit code at once, also one that nobody announced, and spends no other code", async () => {
    const { store, scan } = await startDelivery();
    const reservationId = store.gateway.newReservation();
    const deposit = await store.gateway.token(Act.DEPOSIT, reservationId);
    const scanned = await scan(deposit);
    expect(scanned.delivery?.parcels).toMatchObject([{ reservationId, shelfPlace: "A1", label: reservationId.slice(-6) }]);
    expect(await scan(deposit)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
    const collect = await store.gateway.token(Act.COLLECT, reservationId);
    expect(await scan(collect)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
    expect((await store.shows(collect)).handOver).toMatchObject({ shelfPlace: "A1" });
    await store.agent.flushed();
    expect(store.gateway.eventNames().slice(0, 3)).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "PARCEL_DEPOSITED"]);
  });

  it("frees the place of a parcel that was scanned by mistake, and gives a place once", async () => {
    const { store, deliveryId, scan } = await startDelivery();
    await scan("BX 1");
    expect(await scan("BX 2", { shelfPlace: "A1" })).toMatchObject({ refusal: EntryRefusal.NO_PLACE });
    await store.does({ case: "unscanParcel", value: { deliveryId, label: "BX 1" } });
    expect((await scan("BX 2", { shelfPlace: "A1" })).delivery?.parcels).toMatchObject([{ label: "BX 2", shelfPlace: "A1" }]);
    expect((await scan("BX 1")).delivery?.parcels[1]).toMatchObject({ shelfPlace: "A2" });
  });

  it("has a parcel that nobody announced only as refused, and says so offline too", async () => {
    const { store, scan } = await startDelivery();
    expect(await scan("ZZ 9")).toMatchObject({ refusal: EntryRefusal.NOT_ANNOUNCED });
    store.gateway.isUp = false;
    for (let times = 0; times < 2; times += 1) expect(await scan("ZZ 9")).toMatchObject({ refusal: EntryRefusal.CANNOT_ASK });
    expect(store.agent.desk.link().isOnline).toBe(false);
    const { delivery } = await scan("ZZ 9", { condition: Condition.REFUSED });
    expect(delivery?.parcels).toMatchObject([{ reservationId: "", label: "ZZ 9" }]);
  });

  it("asks the gateway about a label that nobody announced, and not about one that is known", async () => {
    const { store, scan } = await startDelivery();
    const { gateway } = store;
    await scan("BX 1");
    await scan("BX 1", { condition: Condition.DAMAGED });
    expect(gateway.calls).not.toContain("resolveCode");
    const late = create(AllowanceSchema, {
      ...{ reservationId: gateway.newReservation(), act: Act.DEPOSIT, sizeClassId: "S", state: ReservationState.CONFIRMED },
      ...{ participantId: courierId, labelCodes: ["LATE1"] },
    });
    gateway.standings
      .set("LATE1", { standing: CodeStanding.EXPECTED_HERE, allowances: [late] })
      .set("OTHER", { standing: CodeStanding.ELSEWHERE, otherSiteNames: ["Shop"] })
      .set("HELD", { standing: CodeStanding.UNKNOWN, isHeld: true })
      .set("OLD", { standing: CodeStanding.ENDED, endedState: ReservationState.COLLECTED });
    expect(await scan("other")).toMatchObject({ refusal: EntryRefusal.OTHER_SITE, otherSiteNames: ["Shop"] });
    expect(await scan("HELD")).toMatchObject({ refusal: EntryRefusal.NOT_CONFIRMED, otherSiteNames: [] });
    expect(await scan("OLD")).toMatchObject({ refusal: EntryRefusal.ENDED });
    expect(await scan("ไทย")).toMatchObject({ refusal: EntryRefusal.NOT_ANNOUNCED });
    expect((await scan("LATE 1")).delivery?.parcels[1]).toMatchObject({ reservationId: late.reservationId, shelfPlace: "A2" });
    expect(gateway.calls.filter((method) => method === "resolveCode")).toHaveLength(4);
  });

  it("asks about a parcel that is not taken too, so that the list names its reservation", async () => {
    const { store, scan } = await startDelivery();
    const reservationId = store.gateway.newReservation();
    const late = create(AllowanceSchema, {
      ...{ reservationId, act: Act.DEPOSIT, sizeClassId: "S", state: ReservationState.CONFIRMED },
      ...{ participantId: courierId, labelCodes: ["LATE1"] },
    });
    store.gateway.standings.set("LATE1", { standing: CodeStanding.EXPECTED_HERE, allowances: [late] });
    const refused = { condition: Condition.REFUSED };
    expect((await scan("LATE1", refused)).delivery?.parcels).toMatchObject([{ reservationId, ...refused, shelfPlace: "" }]);
    expect((await scan("ZZ 9", refused)).delivery?.parcels[1]).toMatchObject({ reservationId: "", ...refused });
  });

  it("waits 3 s for the gateway, and others at the counter do not wait", async () => {
    const { store, scan } = await startDelivery();
    const { gateway, timers } = store;
    const held = Promise.withResolvers<void>();
    gateway.resolveResponses = held.promise;
    const scanned = scan("ZZ 9");
    await expect.poll(() => gateway.calls).toContain("resolveCode");
    expect(await store.takesIn("BX 9")).toMatchObject({ placeId: "A1" });
    timers.advance(3000);
    expect(await scanned).toMatchObject({ refusal: EntryRefusal.CANNOT_ASK });
    held.resolve();
  });

  it("without the courier's signature leaves the parcels at the store, and the record in doubt", async () => {
    const { store, reservationIds, scan, agree, close } = await startDelivery();
    await scan("BX 1");
    await agree(1);
    expect((await close()).delivery).toMatchObject({ isSigned: false });
    expect(await close()).toMatchObject({ refusal: EntryRefusal.OVER });
    await store.agent.flushed();
    expect(store.gateway.events).toMatchObject([{ proofKind: ProofKind.UNSPECIFIED, reservationId: reservationIds[0] }]);
    expect(store.counter.parcels().parcels[0]).toMatchObject({ shelfPlace: "A1", labelCodes: ["BX 1"] });
  });

  it("goes on after a power cut with what was scanned", async () => {
    const { store, deliveryId, scan } = await startDelivery();
    await scan("BX 1");
    const cut = await store.afterPowerCut();
    expect(cut.shelf.occupancy("A1")).toBe("OCCUPIED");
    const again = await cut.does({ case: "scanParcel", value: { deliveryId, label: "BX 2" } });
    expect(again.delivery?.parcels).toMatchObject([{ shelfPlace: "A1" }, { shelfPlace: "A2" }]);
  });
});
