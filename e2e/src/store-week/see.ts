import { Act, EventType } from "@petak/protocol";
import { expectTrueChain, publishedIssuerKeys } from "../testing/chains.ts";
import type { Seen, SeenCount, SeenParcel, SeenShop } from "./oracle.ts";
import type { Tablet } from "./tablet.ts";
import type { Count, Shop } from "./truth.ts";
import type { Week } from "./week.ts";

/** Looks at everything when a week has ended. Expects every chain to be whole. What the gateway ends meanwhile, by its clock, makes one look differ from the next. */
export async function see(week: Week): Promise<Seen> {
  const { around, truth } = week;
  for (const { store } of around.shops) await store.agent.syncNow().catch(() => undefined);
  const issuerKeys = await publishedIssuerKeys(around.network.baseUrl);
  const parcels: SeenParcel[] = [];
  for (const { reservationId, driver, shop, label, where, isMissed, sizeClassId, codes } of truth.parcels) {
    const { reservation, events } = await expectTrueChain(driver.courier, reservationId, issuerKeys);
    const moved = (isIn: boolean) => codes.reduce((sum, code) => sum + ((code.act === Act.DEPOSIT) === isIn ? code.moved : 0), 0);
    parcels.push({
      ...{ label, where, isMissed, sizeClassId, shop: shop.name, events: events.map(({ type }) => type) },
      ...{ state: reservation?.state ?? 0, compartmentId: reservation?.compartmentId ?? "", movedIn: moved(true), movedOut: moved(false) },
    });
  }
  const shops: SeenShop[] = [];
  for (const shop of around.shops) shops.push(await seeShop(week, shop));
  return {
    parcels,
    shops,
    counts: truth.counts.filter(({ outcome }) => outcome === "counted").map(asSeen),
    lostCounts: truth.counts.filter(({ outcome }) => outcome === "lost").map(({ shop, clerkId }) => ({ shop: shop.name, clerkId })),
    countEvents: await countEvents(week),
  };
}

async function seeShop({ around, truth }: Week, { name, store, tablets }: Shop): Promise<SeenShop> {
  const { counter, parcels } = await (tablets[0] as Tablet).look();
  const { availabilities } = await around.courier.client.directory.getAvailability({ siteIds: [store.siteId] });
  const labelOf = (id: string) => truth.parcels.find(({ reservationId }) => reservationId === id)?.label ?? id;
  return {
    name,
    shelf: parcels.map(({ reservationId, place, shelfPlace }) => ({ label: labelOf(reservationId), place, shelfPlace })),
    takes: counter.takes,
    offered: availabilities[0]?.sizeClasses ?? [],
  };
}

function asSeen({ shop, clerkId, shown, counted, cash }: Count): SeenCount {
  const expectedCash = Number(shown?.cashExpected[0]?.units ?? 0n);
  return { shop: shop.name, clerkId, expected: shown?.expected ?? -1, counted, cash: expectedCash, countedCash: cash };
}

async function countEvents({ around }: Week): Promise<SeenCount[]> {
  const found: SeenCount[] = [];
  for (let cursor = ""; ; ) {
    const page = await around.operator.client.custody.listEvents({ pageSize: 1000, cursor });
    for (const { type, siteId, proof, countedShift } of page.events) {
      if (type !== EventType.SHIFT_COUNTED || countedShift === undefined) continue;
      const shop = around.shops.find(({ store }) => store.siteId === siteId)?.name ?? siteId;
      const [cash] = countedShift.cash;
      const amounts = { cash: Number(cash?.expectedUnits ?? 0n), countedCash: Number(cash?.countedUnits ?? 0n) };
      found.push({ shop, clerkId: proof?.clerkId ?? "", expected: countedShift.expected, counted: countedShift.counted, ...amounts });
    }
    if (!page.hasMore) return found;
    cursor = page.nextCursor;
  }
}
