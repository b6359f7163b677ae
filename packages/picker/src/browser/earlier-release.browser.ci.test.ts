import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GatewayProxy, proxyGateway } from "./testing/proxy-gateway.ts";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { usePickerBrowser } from "./testing/use-picker-browser.ts";

const kedai = "Kedai Rahmat, Geylang East";
let market: Market;
let gateway: GatewayProxy;
const browser = usePickerBrowser((origin) => origin === market.shop.origin);

beforeAll(async () => {
  // An earlier release does not say what its clock shows: it shows what the browser's does.
  market = await startMarket({ now: Date.now });
});

beforeEach(() => {
  gateway = proxyGateway(market.network.baseUrl);
  market.shop.answer = gateway.answer;
});

afterAll(() => market[Symbol.asyncDispose]());

async function openCheckout(): Promise<Page> {
  const picker = market.picker(`name="place" point="${aljunied}"`).replace(/gateway="[^"]*"/, 'gateway="/gateway"');
  const page = await browser.open("about:blank", { viewport: { width: 1040, height: 844 } });
  await page.addInitScript(() => {
    const heard: string[] = [];
    addEventListener("petak-error", (event) => heard.push((event as CustomEvent<{ reason: string }>).detail.reason));
    Object.assign(globalThis, { heard });
  });
  await page.goto(market.shop.page(`<form action="/order">${picker}<button>Order</button></form>`));
  await page.getByRole("radio", { name: kedai }).waitFor();
  return page;
}

const heard = (page: Page) => page.evaluate(() => (globalThis as unknown as { heard: string[] }).heard);

test.each(["refuses", "ignores"] as const)(
  "with a gateway of an earlier release that %s what it does not know a shopper chooses, and the shop hears what is missing",
  async (manner) => {
    browser.allowComplaints(/status of (400|404|501)/);
    gateway.earlier = manner;
    const page = await openCheckout();
    await page.getByRole("button", { name: "Step-free" }).click();
    await page.getByText("2 places nearby are not offered").click();
    await page.locator(".count").getByText("Not known to be step-free").waitFor();
    expect(await page.locator(".count").count()).toBe(1);
    await page.getByRole("button", { name: "Step-free" }).click();
    await page.getByLabel("Open at").fill("23:00");
    await page.getByText(/23:00: Closed until/).waitFor();
    await page.getByText(kedai).click();
    await page.getByRole("button", { name: "Collect here" }).click();
    await page.getByText("You collect at").waitFor();
    expect(await heard(page)).toEqual(["PASSED_OVER_UNNAMED", "OPEN_AT_IGNORED", "CHOICE_UNSIGNED"]);
    await page.getByRole("button", { name: "Order" }).click();
    await page.getByText("Ordered").waitFor();
    const sent = new URL(page.url()).searchParams;
    expect([...sent]).toEqual([["place", market.sites[kedai]]]);
  },
);

test("with a gateway of this release nothing is missing", async () => {
  const page = await openCheckout();
  await page.getByLabel("Open at").fill("23:00");
  await page.getByText("1 place nearby is not offered").waitFor();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  expect(await heard(page)).toEqual([]);
});
