import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { usePickerBrowser } from "./testing/use-picker-browser.ts";

const exitA = "MRT Aljunied, exit A";
const kedai = "Kedai Rahmat, Geylang East";
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

/** A checkout without a place of the shopper, with a resolver that finds two. */
async function openCheckout(more = ""): Promise<Page> {
  const page = await browser.open(
    market.shop.page(`<form action="/order">${market.picker(`name="place" required ${more}`)}<button>Order</button></form>`),
  );
  await page.evaluate(() => {
    const picker = document.querySelector("petak-picker");
    const [latitude, longitude] = [1.3164, 103.8829];
    const places = ["Blk 98A Aljunied Crescent", "Blk 98B Aljunied Crescent"].map((label) => ({ label, latitude, longitude }));
    if (picker !== null) picker.resolveAddress = () => places;
  });
  await page.locator("#address").waitFor();
  return page;
}

/** What has the focus, by its name, and whether it and its ring can be seen and the bar does not lie on it. */
const focused = (page: Page): Promise<{ name: string; isSeen: boolean }> =>
  page.evaluate(() => {
    const root = document.querySelector("petak-picker")?.shadowRoot;
    const element = root?.activeElement ?? document.activeElement;
    if (!element || element === document.body) return { name: "nothing", isSeen: false };
    const label = element.closest("label");
    const labels = (label?.querySelector(".name") ?? label ?? element).textContent ?? "";
    const name = element.id === "address" ? "address" : (element.getAttribute("aria-label") ?? labels).trim();
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y] = [left + width / 2, top + height / 2];
    const hit = (root?.elementFromPoint(x, y) ?? document.elementFromPoint(x, y)) as Element | null;
    const isOnTop = hit !== null && (element.contains(hit) || hit.contains(element));
    const { outlineStyle, outlineWidth } = getComputedStyle(element.closest(".time") ?? element);
    const hasRing = outlineStyle !== "none" && Number.parseFloat(outlineWidth) > 0;
    return { name, isSeen: isOnTop && hasRing && y > 0 && y < innerHeight };
  });

/** Presses Tab until something has the focus, and says what had it on the way, all of which must be seen. */
async function tabTo(page: Page, wanted: string | RegExp, key: "Tab" | "Shift+Tab" = "Tab"): Promise<string[]> {
  const stops: string[] = [];
  for (let press = 0; press < 30; press++) {
    await page.keyboard.press(key);
    const stop = await focused(page);
    expect(stop).toEqual({ name: stop.name, isSeen: true });
    stops.push(stop.name);
    if (typeof wanted === "string" ? stop.name === wanted : wanted.test(stop.name)) return stops;
  }
  throw new Error(`Tab does not lead to ${wanted}, but to ${stops.join(", ")}`);
}

test("by keyboard alone a shopper searches, answers, filters, looks at the map, chooses, changes and orders", async () => {
  const page = await openCheckout();
  await tabTo(page, "address");
  await page.keyboard.type("Aljunied");
  await page.keyboard.press("Enter");
  await page.getByText("Which one do you mean?").waitFor();
  await tabTo(page, "Blk 98B Aljunied Crescent");
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: exitA }).waitFor();
  expect(await focused(page)).toEqual({ name: "address", isSeen: true });
  await tabTo(page, "More");
  await page.keyboard.press("Enter");
  expect(await focused(page)).toEqual({ name: "Low compartment", isSeen: true });
  await page.locator(".map-marker").first().waitFor();
  const stops = await tabTo(page, exitA);
  expect(stops.slice(-4)).toEqual(["Map of the places", "Zoom in", "Zoom out", exitA]);
  await page.keyboard.press("ArrowDown");
  await page.getByRole("radio", { name: kedai, checked: true }).waitFor();
  expect(await focused(page)).toEqual({ name: kedai, isSeen: true });
  await tabTo(page, "Collect here");
  await page.keyboard.press("Enter");
  await page.getByText("You collect at").waitFor();
  expect((await focused(page)).name).toBe(kedai);
  await tabTo(page, "Change");
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: kedai, checked: true }).waitFor();
  expect(await focused(page)).toEqual({ name: kedai, isSeen: true });
  await page.keyboard.press("ArrowUp");
  await tabTo(page, "Collect here");
  await page.keyboard.press("Space");
  await page.getByText("You collect at").waitFor();
  await tabTo(page, "Order");
  await page.keyboard.press("Enter");
  await page.getByText("Ordered").waitFor();
  expect(new URL(page.url()).searchParams.get("place")).toBe(market.sites[exitA]);
});

test("each row that the arrows reach is seen, on a low screen with the bar over the list", async () => {
  const page = await openCheckout(`point="${aljunied}"`);
  await page.setViewportSize({ width: 390, height: 480 });
  await page.getByRole("radio", { name: exitA }).focus();
  for (const key of ["ArrowDown", "ArrowDown", "ArrowDown", "ArrowUp", "ArrowUp", "ArrowUp"]) {
    await page.keyboard.press(key);
    expect(await focused(page)).toMatchObject({ isSeen: true });
  }
});

test("the focus stays in the picker when what had it goes away", async () => {
  const page = await openCheckout(`point="${aljunied}" filters="store low-compartment"`);
  await page.getByRole("button", { name: "Show all" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("radio", { name: exitA }).waitFor();
  expect(await page.evaluate(() => document.querySelector("petak-picker")?.shadowRoot?.activeElement?.className)).toBe("places");
  await tabTo(page, exitA);
  await page.getByRole("group", { name: "Map of the places" }).focus();
  for (let press = 0; press < 4; press++) await page.keyboard.press("ArrowRight");
  await page.getByRole("button", { name: "Search here" }).focus();
  await page.keyboard.press("Enter");
  expect((await focused(page)).name).toBe("Map of the places");
});
