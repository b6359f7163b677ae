import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { usePickerBrowser } from "./testing/use-picker-browser.ts";

const exitA = "MRT Aljunied, exit A";
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

const checkout = (): string =>
  market.shop.page(`<form action="/order">${market.picker(`name="place" required point="${aljunied}"`)}<button>Order</button></form>`);

async function choose(page: Page): Promise<void> {
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
}

/** What the form would send. */
const placesOf = (page: Page): Promise<unknown[]> =>
  page.evaluate(() => new FormData(document.querySelector("form") ?? undefined).getAll("place"));

test("the choice is there after a reload, and after going on and back", async () => {
  const page = await browser.open(checkout());
  await choose(page);
  await page.reload();
  await page.getByText("You collect at").waitFor();
  expect(await placesOf(page)).toEqual([market.sites[exitA]]);
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Ordered").waitFor();
  await page.goBack();
  await page.getByText("You collect at").waitFor();
  expect(await placesOf(page)).toEqual([market.sites[exitA]]);
});

test("the choice is there after a script has exchanged the part of the page, and two pickers of one name are one", async () => {
  const page = await browser.open(checkout());
  await choose(page);
  await page.evaluate(() => {
    const form = document.querySelector("form");
    if (form !== null) form.innerHTML = `${form.innerHTML}`;
  });
  await page.getByText("You collect at").waitFor();
  expect(await placesOf(page)).toEqual([market.sites[exitA]]);
  await page.evaluate(() => {
    const picker = document.querySelector("petak-picker");
    picker?.after(picker.cloneNode());
  });
  await expect
    .poll(() => page.evaluate(() => [...document.querySelectorAll("petak-picker")].map(({ hidden }) => hidden)))
    .toEqual([true, false]);
  await page.getByText("You collect at").last().waitFor();
  expect(await placesOf(page)).toEqual([market.sites[exitA]]);
  await page.evaluate(() => document.querySelectorAll("petak-picker")[1]?.remove());
  expect(await page.evaluate(() => document.querySelector("petak-picker")?.hidden)).toBe(false);
  expect(await placesOf(page)).toEqual([market.sites[exitA]]);
});

test("a listener that comes late hears of a choice that was there before, once", async () => {
  const page = await browser.open(checkout());
  await choose(page);
  await page.reload();
  await page.getByText("You collect at").waitFor();
  const heard = await page.evaluate(async () => {
    const picker = document.querySelector("petak-picker");
    const names: string[] = [];
    picker?.addEventListener("petak-choice", ({ detail }) => names.push(detail?.name ?? ""));
    picker?.addEventListener("petak-ready", ({ detail }) => names.push(detail.language));
    await new Promise((resolve) => setTimeout(resolve));
    return names;
  });
  expect(heard).toEqual([exitA, "en"]);
});

test("properties that were set before the script was there count, and an emptied form has no choice", async () => {
  const page = await browser.open(market.shop.page(`<form><petak-picker name="place" required></petak-picker></form>`));
  await page.evaluate((point) => {
    const picker = document.querySelector("petak-picker");
    Object.assign(picker ?? {}, { point, parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 }, priceOf: () => "Free" });
  }, aljunied);
  const [, gateway = "", key = ""] = /gateway="([^"]+)" publishable-key="([^"]+)"/.exec(market.picker()) ?? [];
  await page.evaluate(
    ([url, text]) => {
      document.querySelector("petak-picker")?.setAttribute("gateway", url ?? "");
      document.querySelector("petak-picker")?.setAttribute("publishable-key", text ?? "");
      const script = document.createElement("script");
      Object.assign(script, { type: "module", src: "/picker/petak-picker.js" });
      document.body.append(script);
    },
    [gateway, key] as const,
  );
  await page.getByText("Free", { exact: true }).first().waitFor();
  await choose(page);
  await page.evaluate(() => document.querySelector("form")?.reset());
  await page.getByRole("radio", { name: exitA }).waitFor();
  expect(await placesOf(page)).toEqual([]);
});
