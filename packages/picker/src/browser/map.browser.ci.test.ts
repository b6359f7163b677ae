import { afterAll, beforeAll, expect, test } from "vitest";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { usePickerBrowser } from "./testing/use-picker-browser.ts";

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
