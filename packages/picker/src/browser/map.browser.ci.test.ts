import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

const picturesDir = process.env.PETAK_PICTURES_DIR;
const kedai = "Kedai Rahmat, Geylang East";
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

test("the map has what the list has: a press of a marker selects its row, and the row's choice is the map's", async () => {
  const page = await browser.open(market.shop.page(market.picker(`point="${aljunied}"`)));
  await page.locator(".map-marker").first().waitFor();
  expect(await page.locator(".map-marker").count()).toBe(await page.getByRole("radio").count());
  await page.locator(`[data-site-id="${market.sites[kedai]}"]`).click();
  await page.getByRole("radio", { name: kedai, checked: true }).waitFor();
  await page.locator(`[data-site-id="${market.sites[kedai]}"].is-chosen`).waitFor();
});

test.each([
  ["light", "none"],
  ["dark", "none"],
  ["light", "active"],
] as const)(
  "what is not offered is on the map, as a cross that leads to the reason, %s, forced colours %s",
  async (colorScheme, forcedColors) => {
    const page = await browser.open(market.shop.page(market.picker(`point="${aljunied}" filters="step-free"`)), {
      viewport: { width: 1040, height: 844 },
      colorScheme,
      forcedColors,
    });
    const cross = page.locator(`.map-marker.is-left-out[data-site-id="${market.sites[kedai]}"]`);
    await cross.waitFor();
    expect(await page.locator(".map-marker.is-left-out").allTextContents()).toEqual(["×", "×"]);
    expect(await page.locator(".map-marker:not(.is-left-out)").count()).toBe(await page.getByRole("radio").count());
    expect(await cross.getAttribute("title")).toBe(`${kedai}: Not known to be step-free`);
    const looks = page.locator(".map-marker").evaluateAll((markers) => markers.map((marker) => getComputedStyle(marker).borderTopWidth));
    expect(new Set(await looks)).toEqual(new Set(["0px", "2px"]));
    expect(await page.getByText("Not known to be step-free").count()).toBe(2);
    await cross.click();
    await page.locator(".count:focus").getByText(kedai).waitFor();
    expect(await page.getByRole("radio", { name: "MRT Aljunied, exit A", checked: true }).count()).toBe(1);
    expect(await findFaults(page)).toEqual([]);
    await page.mouse.move(0, 0);
    if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `picker-left-out-${colorScheme}-${forcedColors}.png`) });
  },
);

test("a search where the map was dragged finds the places there", async () => {
  const page = await browser.open(market.shop.page(market.picker(`point="${aljunied}"`)));
  await page.locator(".map-marker").first().waitFor();
  const before = await page.evaluate(() => document.querySelector("petak-picker")?.point?.longitude);
  await page.getByRole("group", { name: "Map of the places" }).focus();
  for (let press = 0; press < 3; press++) await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: "Search here" }).click();
  await expect.poll(() => page.evaluate(() => document.querySelector("petak-picker")?.point?.longitude)).toBeGreaterThan(before ?? 180);
  await page.getByRole("button", { name: "Search here" }).waitFor({ state: "hidden" });
});

test("a shop may have no map, and a change of the place brings it back after a choice", async () => {
  const page = await browser.open(market.shop.page(market.picker(`point="${aljunied}" map="none"`)));
  await page.getByRole("radio", { name: kedai }).waitFor();
  expect(await page.locator(".map:visible, .map-root").count()).toBe(0);
  await page.evaluate(() => document.querySelector("petak-picker")?.removeAttribute("map"));
  await page.locator(".map-marker").first().waitFor();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.locator(".map-root").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Change" }).click();
  await page.locator(".map-marker").first().waitFor();
});
