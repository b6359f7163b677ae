import { randomUUID } from "node:crypto";
import { createServiceClient } from "@petak/client";
import { usePickerBrowser } from "@petak/picker/testing/browser";
import { type Market, startMarket } from "@petak/picker/testing/market";
import { DirectoryService, PassedOverReason, ReservationState, reasonOf } from "@petak/protocol";
import { makeSite } from "@petak/testkit";
import { afterAll, beforeAll, expect, test } from "vitest";

const shoppers = 200;
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
/** Where everybody is. */
const origin = { latitude: 1.3329, longitude: 103.7436 };
/** How far they go, in m. */
const radiusM = 2000;

let market: Market;
const browser = usePickerBrowser((web) => web === market.shop.origin || web === market.network.baseUrl);
let [first, second, third] = ["", "", ""];

const addSite = (ref: string, name: string, north: number, places: number): Promise<string> =>
  market.network.putSite(
    market.operator,
    makeSite(
      { ref, latitude: origin.latitude + north, longitude: origin.longitude, classes: [["M", 400, 200, 500, 20_000, places]] },
      { name },
    ),
  );

beforeAll(async () => {
  // All shoppers are one shop's, which may hold every place.
  market = await startMarket({ holdsSitePercent: 100 });
  first = await addSite("rush-1", "Jurong East, exit B", 0.002, 10);
  second = await addSite("rush-2", "Block 131 void deck", 0.006, 150);
  // Farther than the 200 go.
  third = await addSite("rush-3", "Bukit Batok library", 0.03, 3);
});

afterAll(() => market[Symbol.asyncDispose]());

/** What became of a shopper. */
interface Outcome {
  /** Undefined: no place was left for them. */
  readonly held: { readonly siteId: string; readonly reservationId: string } | undefined;
  /** Why they were refused, in order. */
  readonly refusals: readonly string[];
}

/** The calls of shoppers' pages, by the shop's publishable key. */
const pageCalls = () => {
  const directory = createServiceClient(DirectoryService, { baseUrl: market.network.baseUrl, publishableKey: market.publishableKey });
  const headers = { origin: market.shop.origin };
  return {
    find: () => directory.findNearest({ origin, radiusM, parcel }, { headers }),
    async choose(siteId: string) {
      const { fits } = await directory.checkFit({ siteIds: [siteId], parcel }, { headers });
      return fits[0];
    },
  };
};

/** The shop's server reserves by a signed choice, and asks again with the same request, as after an answer that was lost. */
async function reserve(siteId: string, choice: string): Promise<string> {
  const request = { requestId: randomUUID(), place: { case: "siteId", value: siteId } as const, parcel, choice };
  const { reservation } = await market.merchant.client.reservations.reserve(request);
  const again = await market.merchant.client.reservations.reserve(request);
  expect(again.reservation?.reservationId).toBe(reservation?.reservationId);
  return reservation?.reservationId ?? "";
}

/** Reserves what was chosen; where that is gone, the nearest that is left, until none is. */
async function buy(choice: { siteId: string; signed: string }): Promise<Outcome> {
  const page = pageCalls();
  const refusals: string[] = [];
  const gone = new Set<string>();
  for (let wanted: typeof choice | undefined = choice; wanted !== undefined; ) {
    const { siteId, signed }: typeof choice = wanted;
    try {
      return { held: { siteId, reservationId: await reserve(siteId, signed) }, refusals };
    } catch (error) {
      refusals.push(reasonOf(error) ?? String(error));
      gone.add(siteId);
    }
    wanted = undefined;
    const { options } = await page.find();
    for (const { site } of options) {
      if (site === undefined || gone.has(site.siteId)) continue;
      const fit = await page.choose(site.siteId);
      if (fit?.fits === true) {
        wanted = { siteId: site.siteId, signed: fit.choice };
        break;
      }
      refusals.push(fit?.reason === PassedOverReason.FULL ? "FULL" : `reason ${fit?.reason}`);
      gone.add(site.siteId);
    }
  }
  return { held: undefined, refusals };
}

/** What the gateway has at a site, page by page. */
async function heldAt(siteId: string): Promise<string[]> {
  const ids: string[] = [];
  let cursor = "";
  do {
    const { reservations, nextCursor } = await market.merchant.client.reservations.listReservations({
      siteId,
      states: [ReservationState.HELD],
      cursor,
    });
    ids.push(...reservations.map(({ reservationId }) => reservationId));
    cursor = nextCursor;
  } while (cursor !== "");
  return ids;
}

test("of 200 shoppers with a signed choice of the same 10 places, 10 get them, and each other one the next best or a reason", async () => {
  // One more has the picker open, and is slower than all.
  const checkout = `<form action="/order">${market.picker(`name="place" required point="${origin.latitude},${origin.longitude}"`)}<button>Order</button></form>`;
  const page = await browser.open(market.shop.page(checkout));
  await page.getByText("10 free that fit").waitFor();

  const { find, choose } = pageCalls();
  expect((await find()).options.map(({ site }) => site?.siteId)).toEqual([first, second]);
  const choices = await Promise.all(Array.from({ length: shoppers }, () => choose(first)));
  expect(choices.every((fit) => fit?.fits === true && fit.choice !== "")).toBe(true);
  const outcomes = await Promise.all(choices.map((fit) => buy({ siteId: first, signed: fit?.choice ?? "" })));

  const at = (siteId: string) => outcomes.filter(({ held }) => held?.siteId === siteId);
  const without = outcomes.filter(({ held }) => held === undefined);
  expect([at(first).length, at(second).length, without.length]).toEqual([10, 150, 40]);
  expect(at(first).every(({ refusals }) => refusals.length === 0)).toBe(true);
  for (const { refusals } of at(second)) expect(refusals).toEqual(["NO_PLACE_FREE"]);
  for (const { refusals } of without) {
    // The second site refused them too, or was full already when they looked.
    expect(refusals[0]).toBe("NO_PLACE_FREE");
    expect([[], ["NO_PLACE_FREE"], ["FULL"]]).toContainEqual(refusals.slice(1));
  }
  const { passedOver } = await market.merchant.client.directory.findNearest({ origin, radiusM, parcel, passedOverLimit: 5 });
  expect(passedOver?.sites.map(({ site, reason }) => [site?.siteId, reason])).toEqual([
    [first, PassedOverReason.FULL],
    [second, PassedOverReason.FULL],
  ]);

  // Nothing is held twice, and nothing that nobody knows of.
  for (const siteId of [first, second]) {
    const known = at(siteId).map(({ held }) => held?.reservationId);
    expect(new Set(known).size).toBe(known.length);
    expect((await heldAt(siteId)).sort()).toEqual(known.sort());
  }

  // The slow one is told of the next place that is left, and one press takes it.
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("The last place at Jurong East, exit B has just gone. The next best is Bukit Batok library.").waitFor();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  expect(await page.evaluate(() => new FormData(document.querySelector("form") ?? undefined).get("place"))).toBe(third);
});
