import { join } from "node:path";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { languageTags } from "../words/languages.ts";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

const picturesDir = process.env.PETAK_PICTURES_DIR;
const exitA = "MRT Aljunied, exit A";
const kedai = "Kedai Rahmat, Geylang East";
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

/** A page that is written from the right. The picker has no such language, so it speaks one of its own there. */
async function openFromTheRight(width: number, language = "en"): Promise<Page> {
  const url = market.shop.page(market.picker(`name="place" language="${language}" point="${aljunied}"`), 'lang="ar" dir="rtl"');
  const page = await browser.open(url, { viewport: { width, height: 844 } });
  await page.locator(".facts").getByText("22:00").waitFor();
  await page.locator(".map-marker").first().waitFor();
  return page;
}

/** The texts of one line whose last sign does not stand to the right of the first. */
const findTurned = (page: Page): Promise<string[]> =>
  page.evaluate(() => {
    const root = document.querySelector("petak-picker")?.shadowRoot;
    const turned: string[] = [];
    if (!root) return ["no picker"];
    const texts = document.createTreeWalker(root, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node !== null; node = texts.nextNode()) {
      const text = node.textContent ?? "";
      const from = text.search(/\S/);
      const to = text.trimEnd().length;
      if (from < 0 || to - from < 2 || node.parentElement?.closest(".for-readers")) continue;
      const boxOf = (start: number) => {
        const range = document.createRange();
        range.setStart(node, start);
        range.setEnd(node, start + 1);
        return range.getBoundingClientRect();
      };
      const [first, last] = [boxOf(from), boxOf(to - 1)];
      if (first.width > 0 && first.top === last.top && first.left >= last.left) turned.push(text.trim());
    }
    return turned;
  });

const leftOf = async (page: Page, selector: string): Promise<number> =>
  (await page.locator(selector).first().boundingBox())?.x ?? Number.NaN;

test.each([320, 390, 1040])("on a page from the right, %i px wide, the layout turns and nothing is cut off", async (width) => {
  const page = await openFromTheRight(width);
  expect(await leftOf(page, ".place input")).toBeGreaterThan(await leftOf(page, ".place .name"));
  expect(await leftOf(page, ".place .far")).toBeLessThan(await leftOf(page, ".place .name"));
  const rights = await page
    .locator(".place .name, .place .street, .place .line")
    .evaluateAll((elements) => elements.map((element) => getComputedStyle(element).textAlign));
  expect(new Set(rights)).toEqual(new Set(["right"]));
  expect(await leftOf(page, ".map-zooms")).toBeLessThan(await leftOf(page, ".map-scale"));
  if (width === 1040) expect(await leftOf(page, ".map")).toBeLessThan(await leftOf(page, ".places"));
  expect(await findFaults(page)).toEqual([]);
  if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `picker-rtl-${width}.png`) });
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  expect([await findTurned(page), await findFaults(page)]).toEqual([[], []]);
});

test("on a page from the right no sentence of any language is turned", async () => {
  const page = await openFromTheRight(390);
  for (const tag of languageTags) {
    await page.evaluate((language) => document.querySelector("petak-picker")?.setAttribute("language", language), tag);
    await page.locator(`.picker[lang=${tag}]`).waitFor();
    expect([tag, await findTurned(page)]).toEqual([tag, []]);
  }
});

test("on a page from the right the arrows go through the list as it stands, and over the map as the compass does", async () => {
  const page = await openFromTheRight(1040);
  await page.getByRole("radio", { name: exitA }).focus();
  await page.keyboard.press("ArrowDown");
  await page.getByRole("radio", { name: kedai, checked: true }).waitFor();
  await page.keyboard.press("ArrowUp");
  await page.getByRole("radio", { name: exitA, checked: true }).waitFor();
  // In lines that run from the right, the next one is to the left.
  await page.keyboard.press("ArrowLeft");
  await page.getByRole("radio", { name: kedai, checked: true }).waitFor();
  const longitude = () => page.evaluate(() => document.querySelector("petak-picker")?.point?.longitude ?? 0);
  const before = await longitude();
  await page.getByRole("group", { name: "Map of the places" }).focus();
  for (let press = 0; press < 3; press++) await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: "Search here" }).click();
  await expect.poll(longitude).toBeGreaterThan(before);
});
