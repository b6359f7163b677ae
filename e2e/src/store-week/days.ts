import { hourMs } from "../offline/offline-network.ts";
import { findAgain, showCode } from "./hand-overs.ts";
import { sendAll } from "./heal.ts";
import { beginShift, endShift } from "./shifts.ts";
import type { Shop } from "./truth.ts";
import { visit } from "./visits.ts";
import type { Week } from "./week.ts";

/** How long a store is closed at night, in ms. */
const nightMs = 10 * hourMs;

/** A day of all stores, with what goes wrong, and the night after it. */
export async function day(week: Week): Promise<void> {
  const { shops, clock, pass } = week.around;
  for (const shop of shops) for (const { clerkId } of shop.store.clerks) await beginShift(week, shop, clerkId);
  const closesAtMs = clock.now() + 14 * hourMs;
  while (clock.now() < closesAtMs) await step(week);
  for (const shop of shops) for (const { clerkId } of shop.store.clerks) await endShift(week, shop, false, clerkId);
  await pass(nightMs);
}

async function step(week: Week): Promise<void> {
  const { random, around } = week;
  if (random.bool(0.6)) await week.passSome();
  const shop = random.pick(around.shops);
  const kinds: [number, () => Promise<unknown>][] = [
    [20, () => week.reserve(shop)],
    [18, () => visit(week, shop)],
    [28, () => showCode(week, shop)],
    [3, () => week.cancel(shop)],
    [3, () => findAgain(week, shop)],
    [3, () => week.setIntake(shop)],
    [2, () => endShift(week, shop)],
    [1, () => beginShift(week, shop)],
    [6, () => cutLink(week, shop)],
    [8, () => cutTablet(week, shop)],
    [3, () => cutPower(week, shop)],
    [2, () => week.loseTablet(shop)],
    [4, () => shop.store.agent.syncNow().catch(() => undefined)],
    [1, () => (isAllUp(shop) ? sendAll(week, shop) : Promise.resolve())],
  ];
  let at = random.float(
    0,
    kinds.reduce((sum, [weight]) => sum + weight, 0),
  );
  for (const [weight, run] of kinds) {
    at -= weight;
    if (at < 0) return void (await run());
  }
}

const isAllUp = ({ store, tablets }: Shop) => !store.isLinkCut && tablets.every(({ isCut }) => !isCut);

async function cutLink(week: Week, shop: Shop): Promise<void> {
  shop.store.isLinkCut = week.random.bool(0.5);
  week.say(shop.store.isLinkCut ? "the link to the gateway is cut" : "the link to the gateway is back", shop);
}

async function cutTablet(week: Week, shop: Shop): Promise<void> {
  const tablet = week.random.pick(shop.tablets);
  tablet.isCut = week.random.bool(0.3);
  week.say(tablet.isCut ? "a tablet is out of range" : "a tablet is in range", shop);
  if (!tablet.isCut) await tablet.flush();
}

async function cutPower(week: Week, shop: Shop): Promise<void> {
  if (week.random.bool(0.5)) week.random.pick(shop.tablets).isPowerToGo = true;
  else await shop.store.cutPower();
  week.say("the power is cut", shop);
}
