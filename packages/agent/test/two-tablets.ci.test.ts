import { randomUUID } from "node:crypto";
import { Act, ConditionKind, DeviceEventType } from "@petak/protocol";
import { EntryRefusal } from "@petak/protocol/counter";
import { createRandom, type Random, testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import { type CounterTablet, openTablet } from "./counter-tablet.ts";
import { startStore, type TestStore } from "./store.ts";

/** A store with three parcels on its shelf, their codes, and two tablets. */
async function openWorld() {
  const store = await startStore();
  await store.clerks.add("Sri", true);
  const parcels: { placeId: string; label: string; token: string; reservationId: string }[] = [];
  for (const label of ["SHOP-0001", "SHOP-0002", "SHOP-0003"]) {
    const { reservationId, placeId } = await store.takesIn(label);
    parcels.push({ placeId, label, reservationId, token: await store.gateway.token(Act.COLLECT, reservationId) });
  }
  const tablets = [await openTablet(store, randomUUID()), await openTablet(store, randomUUID())];
  return { store, parcels, tablets };
}

type World = Awaited<ReturnType<typeof openWorld>>;

/** Waits for what a tablet does. The other one answers meanwhile if it can be reached; if not, its time passes. */
async function settled({ store, tablets }: World, doing: Promise<void>): Promise<void> {
  let isOver = false;
  const over = doing.finally(() => {
    isOver = true;
  });
  while (!isOver) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    const lease = leaseOf(store);
    const holder = lease?.isWanted === true ? tablets.find(({ tabletId }) => tabletId === lease.tabletId) : undefined;
    if (isOver || holder === undefined) continue;
    if (holder.line.cut === undefined) await holder.hears();
    else store.timers.advance(3000);
  }
  await over;
}

function leaseOf({ counter }: TestStore) {
  return counter.view({ clerk: { clerkId: "clerk-2", name: "Mai", isOwner: false }, tabletId: "" }).lease;
}

/** Random work at both tablets. @returns how often each code was accepted, but for those whose person went without the parcel */
async function work(world: World, random: Random, steps: number, mayTakeBack: boolean): Promise<number[]> {
  const { store, parcels, tablets } = world;
  const accepted = parcels.map(() => 0);
  const indexAt = (place: string) => parcels.findIndex(({ placeId }) => placeId === place);
  const seen = new Set<string>();

  function note(tablet: CounterTablet): void {
    const handOver = tablet.underWay();
    if (handOver === undefined || seen.has(handOver.handOverId)) return;
    seen.add(handOver.handOverId);
    accepted[indexAt(handOver.shelfPlace)] = (accepted[indexAt(handOver.shelfPlace)] ?? 0) + 1;
  }

  async function goOn(tablet: CounterTablet): Promise<void> {
    const handOver = tablet.underWay();
    if (handOver === undefined) return await settled(world, tablet.scans(random.pick(parcels).token));
    if (random.bool(0.6)) {
      await settled(world, tablet.endsNotNow());
      if (tablet.underWay() === undefined) accepted[indexAt(handOver.shelfPlace)] = (accepted[indexAt(handOver.shelfPlace)] ?? 0) - 1;
    } else await settled(world, tablet.scans(parcels[indexAt(handOver.shelfPlace)]?.label ?? ""));
  }

  const steadily: ((tablet: CounterTablet) => Promise<void>)[] = [
    goOn,
    goOn,
    goOn,
    (tablet) => settled(world, tablet.hears()),
    (tablet) => settled(world, tablet.reloads()),
    async (tablet) => {
      tablet.line.cut = random.pick(["before", "before", "after", undefined]);
    },
    async () => store.timers.advance(random.int(0, 600_000)),
    async () => {
      const lease = mayTakeBack && random.bool() ? leaseOf(store) : undefined;
      if (lease === undefined) return;
      await store.does({ case: "takeBackLease", value: { leaseNumber: lease.number } }, { clerkId: "clerk-1" });
    },
  ];
  for (let step = 0; step < steps; step += 1) {
    const tablet = random.pick(tablets);
    await random.pick(steadily)(tablet);
    note(tablet);
  }
  await comeTogether(world, note, indexAt);
  return accepted;
}

/** Both tablets can be reached again, and what is under way is ended. */
async function comeTogether(world: World, note: (tablet: CounterTablet) => void, indexAt: (place: string) => number): Promise<void> {
  const { parcels, tablets } = world;
  for (const tablet of tablets) tablet.line.cut = undefined;
  for (const _ of [1, 2, 3, 4]) {
    for (const tablet of tablets) {
      // The first view was made before the agent had what waited here: a hand-over that it shows may have ended since.
      await settled(world, tablet.hears());
      await settled(world, tablet.hears());
      tablet.takesUp();
      note(tablet);
      const handOver = tablet.underWay();
      if (handOver !== undefined) await settled(world, tablet.scans(parcels[indexAt(handOver.shelfPlace)]?.label ?? ""));
    }
  }
}

async function outcome({ store, parcels, tablets }: World) {
  await store.agent.flushed();
  const { events } = store.gateway;
  const collected = (reservationId: string) =>
    events.filter((event) => event.type === DeviceEventType.PARCEL_COLLECTED && event.reservationId === reservationId).length;
  const told = (kind: ConditionKind) => events.filter(({ condition }) => condition?.kind === kind).length;
  return {
    collected: parcels.map(({ reservationId }) => collected(reservationId)),
    onShelf: parcels.map(({ reservationId }) => store.counter.parcels().parcels.some((one) => one.reservationId === reservationId)),
    contradicted: told(ConditionKind.HAND_OVER_CONTRADICTED),
    takenBack: told(ConditionKind.LEASE_TAKEN_BACK),
    waiting: tablets.map(({ app }) => app.waiting),
    visits: store.store.visits().length,
    refusals: tablets.flatMap(({ app }) => app.notTaken.map(({ refusal }) => refusal)),
  };
}

describe("two tablets of a store", () => {
  for (const run of [1, 2, 3, 4, 5, 6]) {
    it(`accept no code twice and lose nothing, whatever is cut and killed (${run})`, async () => {
      const random = createRandom(testSeed() * 100 + run);
      const world = await openWorld();
      const accepted = await work(world, random, 60, false);
      const end = await outcome(world);
      expect(end).toMatchObject({ contradicted: 0, waiting: [0, 0], visits: 0 });
      expect(end.collected).toEqual(accepted);
      expect(end.onShelf).toEqual(accepted.map((count) => count === 0));
      expect(end.refusals.filter((refusal) => refusal === EntryRefusal.CONTRADICTED)).toEqual([]);
    });

    it(`tell of each code that two accepted after a lease was taken back (${run})`, async () => {
      const random = createRandom(testSeed() * 100 + run);
      const world = await openWorld();
      const accepted = await work(world, random, 80, true);
      const end = await outcome(world);
      expect(end).toMatchObject({ waiting: [0, 0], visits: 0 });
      const twice = accepted.reduce((sum, count) => sum + Math.max(0, count - 1), 0);
      expect(end.contradicted).toBeGreaterThanOrEqual(twice);
      if (end.takenBack === 0) expect(end.contradicted).toBe(0);
      expect(end.collected.every((count) => count <= 1)).toBe(true);
    });
  }
});
