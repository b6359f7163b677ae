import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Act, ConditionKind, DeviceEventType, formatBundleId, ReservationState } from "@petak/protocol";
import {
  Direction,
  EndReason,
  EntryRefusal,
  type EntryResult,
  EntrySchema,
  type LeaseMaterial,
  ParcelPlace,
} from "@petak/protocol/counter";
import { describe, expect, it } from "vitest";
import { leaseMs } from "../src/counter/leases.ts";
import { type DecidedHandOver, decideByLease } from "../src/lease/index.ts";
import { siteId } from "./agent-gateway.ts";
import { pin } from "./site.ts";
import { startStore, type TestStore, tabletId } from "./store.ts";

const otherTablet = randomUUID();
const { NOT_NOW } = EndReason;

/** A tablet that has taken the lease, and what it knows without its agent. */
function leased({ counter, timers }: TestStore, tablet = tabletId) {
  const given = counter.leases.take(tablet);
  if (given === undefined) throw new Error("no lease was given");
  const decided: DecidedHandOver[] = [];
  const { lease, material } = given;
  return {
    number: lease.number,
    material,
    /** Decides about a code, and keeps that. @returns what is sent to the agent once it can be reached */
    async decides(text: string) {
      const decision = await decideByLease(text, { siteId, material, decided, touched: [] }, timers.now());
      if (!decision.opens) return decision.refusal;
      const handOverId = randomUUID();
      decided.push({ ...decision.begun, handOverId });
      const { reservationId, shelfPlace } = decision.begun;
      const value = { text, decided: { leaseNumber: lease.number, handOverId, reservationId } };
      return { handOverId, shelfPlace, show: { case: "showCode" as const, value }, atMs: timers.now() };
    },
    ends(outcome: DecidedHandOver["outcome"]) {
      const last = decided.pop();
      if (last !== undefined) decided.push({ ...last, outcome });
    },
  };
}

type Decided = Exclude<Awaited<ReturnType<ReturnType<typeof leased>["decides"]>>, string>;

function opened(decision: Decided | string): Decided {
  if (typeof decision === "string") throw new Error(`it was refused: ${decision}`);
  return decision;
}

/** Sends what a tablet has decided and done. */
async function sends(store: TestStore, { show, handOverId, atMs }: Decided, label: string, tablet = tabletId): Promise<EntryResult[]> {
  const session = { clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId: tablet };
  const made = { clerkId: "clerk-2", madeAt: timestampFromMs(atMs) };
  const move = { case: "moveParcel" as const, value: { handOverId, label } };
  return await store.counter.submit(
    session,
    [show, move].map((action) => create(EntrySchema, { ...made, entryId: randomUUID(), action })),
  );
}

/** What another tablet is told about a code, by when the one with the lease must have answered. */
async function showsElsewhere(store: TestStore, text: string): Promise<EntryResult> {
  const shown = store.shows(text, { tabletId: otherTablet });
  await Promise.resolve();
  store.timers.advance(3000);
  return await shown;
}

async function told({ agent, gateway }: TestStore): Promise<string[]> {
  await agent.flushed();
  const conditions = gateway.events.filter(({ type }) => type === DeviceEventType.CONDITION);
  return conditions.map(({ condition, clerkId }) => `${names.get(condition?.kind)} ${clerkId}`);
}

const names = new Map<ConditionKind | undefined, string>([
  [ConditionKind.LEASE_TAKEN_BACK, "LEASE_TAKEN_BACK"],
  [ConditionKind.HAND_OVER_CONTRADICTED, "HAND_OVER_CONTRADICTED"],
]);

const done = { refusal: EntryRefusal.UNSPECIFIED };
const takeBack = (leaseNumber: bigint) => ({ case: "takeBackLease" as const, value: { leaseNumber } });

describe("a tablet with the store's lease", () => {
  it("decides without its agent, which takes over what was done once, and reports it by its time", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const tablet = leased(store);
    const decision = opened(await tablet.decides(token));
    expect(decision.shelfPlace).toBe("A1");
    tablet.ends("MOVED");
    expect(await tablet.decides(token)).toBe("SPENT");
    store.timers.advance(3_600_000);
    expect(await sends(store, decision, "SHOP-0001")).toMatchObject([done, done]);
    expect(await store.shows(token)).toMatchObject({ refusal: EntryRefusal.CODE_NOT_ACCEPTED });
    await store.agent.flushed();
    const collected = store.gateway.events.slice(3, 6);
    expect(store.gateway.eventNames().slice(3, 6)).toEqual(["DOOR_OPENED", "DOOR_CLOSED", "PARCEL_COLLECTED"]);
    for (const event of collected) {
      expect(event).toMatchObject({ reservationId, clerkId: "clerk-2", offline: true, occurredAt: timestampFromMs(decision.atMs) });
    }
    expect(store.counter.parcels().parcels).toEqual([]);
  });

  it("decides by tokens only: it cannot judge a PIN, and nothing by which one could be found leaves the agent", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    await store.gateway.allowPin(reservationId, pin);
    await store.gateway.allowBundle("bun_1", [reservationId], { pin: "10000001" });
    await store.agent.syncNow();
    const tablet = leased(store);
    expect(await tablet.decides(pin)).toBe("PIN");
    const hashes = ({ allowances, bundles }: LeaseMaterial) => [...allowances, ...bundles].map(({ pinHash }) => pinHash.length);
    expect(hashes(tablet.material)).toEqual([0, 0]);
    const deposit = await store.gateway.token(Act.DEPOSIT, store.gateway.newReservation());
    expect(await tablet.decides(deposit)).toBe("NEEDS_AGENT");
  });

  it("gives the parcels of one code one after the other, and a code is good again if its person comes back later", async () => {
    const store = await startStore();
    const parcels = [await store.takesIn("SHOP-0001"), await store.takesIn("SHOP-0002")];
    const bundleId = formatBundleId("83652b", "5t8yq2m4p9w7z3x1");
    await store.gateway.allowBundle(
      bundleId,
      parcels.map(({ reservationId }) => reservationId),
    );
    await store.agent.syncNow();
    const token = await store.gateway.bundleToken(bundleId);
    const tablet = leased(store);
    const first = opened(await tablet.decides(token));
    expect(await tablet.decides(token)).toBe("IN_USE");
    tablet.ends("NOT_NOW");
    const again = opened(await tablet.decides(token));
    expect([first.shelfPlace, again.shelfPlace]).toEqual(["A1", "A1"]);
    tablet.ends("MOVED");
    const second = opened(await tablet.decides(token));
    expect(second.shelfPlace).toBe("A2");
    tablet.ends("MOVED");
    expect(await tablet.decides(token)).toBe("SPENT");
    await store.does(first.show);
    await store.does({ case: "endHandOver", value: { handOverId: first.handOverId, reason: NOT_NOW } });
    for (const [decision, label] of [
      [again, "SHOP-0001"],
      [second, "SHOP-0002"],
    ] as const) {
      expect(await sends(store, decision, label)).toMatchObject([done, done]);
    }
    expect(store.counter.parcels().parcels).toEqual([]);
    expect(store.store.visits()).toEqual([]);
  });

  it("keeps others from handing over while it does not answer, until its lease ends; they accept parcels meanwhile", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    leased(store);
    expect(await showsElsewhere(store, token)).toMatchObject({ refusal: EntryRefusal.LEASE_AWAY });
    const lease = store.counter.view({ clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId: otherTablet }).lease;
    expect(lease).toMatchObject({ tabletId, isAway: true, isWanted: true });
    const deliveryId = randomUUID();
    await store.does({ case: "beginDelivery", value: { deliveryId, direction: Direction.IN } }, { tabletId: otherTablet });
    const label = await store.gateway.token(Act.DEPOSIT, store.gateway.newReservation());
    const accepted = await store.does({ case: "scanParcel", value: { deliveryId, label } }, { tabletId: otherTablet });
    expect(accepted.delivery?.parcels).toMatchObject([{ shelfPlace: "A2" }]);
    const restarted = await store.afterPowerCut();
    expect(await restarted.shows(token, { tabletId: otherTablet })).toMatchObject({ refusal: EntryRefusal.LEASE_AWAY });
    restarted.timers.advance(leaseMs + 60_000);
    expect(await restarted.shows(token, { tabletId: otherTablet })).toMatchObject({ ...done, handOver: { shelfPlace: "A1" } });
  });

  it("returns it when another tablet is to hand over, and takes it again afterwards with what that one did", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const { number } = leased(store);
    const shown = store.shows(token, { tabletId: otherTablet });
    await Promise.resolve();
    expect(store.counter.leases.take(tabletId)).toBeUndefined();
    store.counter.leases.giveBack(tabletId, Number(number));
    expect(await shown).toMatchObject(done);
    expect(await leased(store).decides(token)).toBe("SPENT");
  });

  it("whose answer was lost goes on with the hand-over that the agent has begun for it", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const tablet = leased(store);
    await store.shows(token);
    const decision = opened(await tablet.decides(token));
    expect(await sends(store, decision, "SHOP-0001")).toMatchObject([{ ...done, handOver: { handOverId: decision.handOverId } }, done]);
    expect(await told(store)).toEqual([]);
  });

  it("that comes back after its lease has ended is believed, also where the gateway has cancelled meanwhile", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    await store.gateway.allowPin(reservationId, pin);
    await store.agent.syncNow();
    const token = await store.gateway.token(Act.COLLECT, reservationId, { expiresAtMs: store.timers.now() + leaseMs });
    const decision = opened(await leased(store).decides(token));
    await store.gateway.allowPin(reservationId, pin, { state: ReservationState.CANCELLED });
    await store.agent.syncNow();
    store.timers.advance(6 * leaseMs);
    expect(await sends(store, decision, "SHOP-0001")).toMatchObject([done, done]);
    expect(await told(store)).toEqual([]);
  });
});

describe("a lease that is taken back", () => {
  it("is the owner's to take, and told to the operator; others then hand over", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    await store.clerks.add("Sri", true);
    const token = await store.gateway.token(Act.COLLECT, reservationId);
    const { number } = leased(store);
    expect(await store.does(takeBack(number))).toMatchObject({ refusal: EntryRefusal.OWNER_ONLY });
    expect(await store.does(takeBack(number), { clerkId: "clerk-1" })).toMatchObject(done);
    expect(await store.does(takeBack(number), { clerkId: "clerk-1" })).toMatchObject({ refusal: EntryRefusal.OVER });
    expect(await store.shows(token, { tabletId: otherTablet })).toMatchObject(done);
    expect(await told(store)).toEqual(["LEASE_TAKEN_BACK clerk-1"]);
  });

  it("makes a parcel that both handed over a contradiction, and a doubt where the parcel should still be there", async () => {
    const store = await startStore();
    await store.clerks.add("Sri", true);
    const parcels = [await store.takesIn("SHOP-0001"), await store.takesIn("SHOP-0002")];
    const tokens = await Promise.all(parcels.map(({ reservationId }) => store.gateway.token(Act.COLLECT, reservationId)));
    const tablet = leased(store);
    const decisions = [opened(await tablet.decides(tokens[0] ?? "")), opened(await tablet.decides(tokens[1] ?? ""))];
    await store.does(takeBack(tablet.number), { clerkId: "clerk-1" });
    const elsewhere = await store.shows(tokens[0] ?? "", { tabletId: otherTablet });
    await store.does(
      { case: "moveParcel", value: { handOverId: elsewhere.handOver?.handOverId ?? "", label: "SHOP-0001" } },
      { tabletId: otherTablet },
    );
    const contradicted = [{ refusal: EntryRefusal.CONTRADICTED }, { refusal: EntryRefusal.OVER }];
    expect(await sends(store, decisions[0] as Decided, "SHOP-0001")).toMatchObject(contradicted);
    const forged = { ...(decisions[1] as Decided) };
    forged.show = { case: "showCode", value: { ...forged.show.value, text: tokens[0] ?? "" } };
    expect(await sends(store, forged, "SHOP-0002")).toMatchObject(contradicted);
    expect(store.counter.parcels().parcels).toMatchObject([{ place: ParcelPlace.MISSING, shelfPlace: "A2" }]);
    const event = "HAND_OVER_CONTRADICTED clerk-2";
    expect(await told(store)).toEqual(["LEASE_TAKEN_BACK clerk-1", event, event]);
    expect(store.gateway.eventNames().slice(-1)).toEqual(["DOUBT"]);
  });

  it("of another tablet is nobody's to decide by", async () => {
    const store = await startStore();
    const { reservationId } = await store.takesIn("SHOP-0001");
    const decision = opened(await leased(store).decides(await store.gateway.token(Act.COLLECT, reservationId)));
    expect(await sends(store, decision, "SHOP-0001", otherTablet)).toMatchObject([{ refusal: EntryRefusal.CONTRADICTED }, {}]);
    expect(store.counter.parcels().parcels).toMatchObject([{ place: ParcelPlace.ON_SHELF }]);
  });
});
