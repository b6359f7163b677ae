import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { AxeResults } from "axe-core";
import type { Page } from "playwright-core";
import { expect, test } from "vitest";
import type { MapSite, Point } from "./picker-map.ts";
import { sitesAround } from "./testing/sites-around.ts";
import { type MapLook, useMapBrowser } from "./testing/use-map-browser.ts";

const picturesDir = process.env.PETAK_PICTURES_DIR;
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = useMapBrowser(["--disable-gpu"]);

const cities = {
  singapore: { latitude: 1.3163, longitude: 103.8829 },
  jakarta: { latitude: -6.1944, longitude: 106.8229 },
  bangkok: { latitude: 13.7367, longitude: 100.5231 },
  manila: { latitude: 14.5547, longitude: 121.0244 },
};
const home = cities.singapore;
const near = sitesAround(home, 12, 0.008);
const chosen = near.find(({ state }) => state === "free") as MapSite;
const other = near.find((site) => site.state === "free" && site !== chosen) as MapSite;

/** Motion is off, so that a test need not wait for its end. */
async function openWith(look: MapLook, origin: Point = home, sites = near, chosenId = chosen.siteId): Promise<Page> {
  const page = await browser.open(look);
  await page.emulateMedia({ reducedMotion: "reduce" });
  await page.evaluate(() => mapPage.open());
  await show(page, origin, sites, chosenId);
  await page.locator(".map-marker").first().waitFor();
  return page;
}

async function show(page: Page, origin: Point, sites: readonly MapSite[], chosenId?: string): Promise<void> {
  await page.evaluate(([origin, sites, chosenId]) => mapPage.show(origin, sites, chosenId), [origin, sites, chosenId] as const);
  await drawn(page);
}

/** Waits until what was done is drawn. */
async function drawn(page: Page): Promise<void> {
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
}

async function picture(page: Page, name: string): Promise<void> {
  if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `${name}.png`) });
}

const heard = (page: Page) => page.evaluate(() => mapPage.heard);
const scaleOf = (page: Page) => page.locator(".map-scale").textContent();

async function middleOf(page: Page, siteId: string): Promise<{ x: number; y: number }> {
  const { x, y, width, height } = (await page.locator(`[data-site-id="${siteId}"]`).boundingBox()) ?? { x: 0, y: 0, width: 0, height: 0 };
  return { x: x + width / 2, y: y + height / 2 };
}

async function drag(page: Page, from: { x: number; y: number }, dx: number, dy: number): Promise<void> {
  await page.mouse.move(from.x, from.y);
  await page.mouse.down();
  await page.mouse.move(from.x + dx, from.y + dy, { steps: 5 });
  await page.mouse.up();
  await drawn(page);
}

/** The shares of the canvas that have the colours of water and of land. */
async function sharesOf(page: Page): Promise<{ water: number; land: number }> {
  return await page.locator("canvas.map-canvas").evaluate((canvas) => {
    const { width, height } = canvas as HTMLCanvasElement;
    const context = (canvas as HTMLCanvasElement).getContext("2d") as CanvasRenderingContext2D;
    const { data } = context.getImageData(0, 0, width, height);
    let [water, land] = [0, 0];
    for (let index = 0; index < data.length; index += 4) {
      const [red = 0, , blue = 0] = data.subarray(index, index + 3);
      if (blue > red + 8) water++;
      if (red > blue + 4) land++;
    }
    return { water: water / (data.length / 4), land: land / (data.length / 4) };
  });
}

test.each(Object.entries(cities))("%s is drawn at the scales of streets, of the city and of the country", async (name, origin) => {
  browser.allowComplaints(/willReadFrequently/);
  const sites = sitesAround(origin, 12, 0.008);
  const page = await openWith({}, origin, sites, sites.find(({ state }) => state === "free")?.siteId);
  await picture(page, `${name}-street`);
  // The coasts are right to some hundreds of metres: among streets there are none.
  expect((await sharesOf(page)).water).toBeLessThan(0.01);
  for (const [scale, presses] of [
    ["city", 4],
    ["country", 5],
  ] as const) {
    for (let press = 0; press < presses; press++) await page.getByRole("button", { name: "Farther" }).click();
    await drawn(page);
    await picture(page, `${name}-${scale}`);
    const { land, water } = await sharesOf(page);
    expect(land).toBeGreaterThan(0.1);
    if (scale === "country") expect(water).toBeGreaterThan(0.05);
  }
});

test("the world is drawn, on both sides of the 180th meridian", async () => {
  const fiji = { latitude: -17.8, longitude: 179.9 };
  const page = await openWith({}, fiji, sitesAround(fiji, 5, 0.4), undefined);
  await page.getByRole("group").focus();
  for (let press = 0; press < 20; press++) await page.keyboard.press("-");
  await drawn(page);
  await picture(page, "world");
  expect(await page.getByRole("button", { name: "Farther" }).getAttribute("aria-disabled")).toBe("true");
  expect((await sharesOf(page)).land).toBeGreaterThan(0.1);
});

test("a press of a marker picks its site, and a drag that ends on one does not", async () => {
  const page = await openWith({});
  const at = await middleOf(page, other.siteId);
  await page.mouse.click(at.x, at.y);
  expect(await heard(page)).toEqual([["pick", other.siteId]]);
  await drag(page, at, 0, 8);
  expect(await heard(page)).toEqual([["pick", other.siteId]]);
});

test("a drag moves the map, and offers a search where it was dragged", async () => {
  const page = await openWith({});
  const search = page.getByRole("button", { name: "Search here" });
  expect(await search.isVisible()).toBe(false);
  const before = await middleOf(page, chosen.siteId);
  await drag(page, { x: 40, y: 300 }, 150, 40);
  const after = await middleOf(page, chosen.siteId);
  expect([Math.round(after.x - before.x), Math.round(after.y - before.y)]).toEqual([150, 40]);
  await picture(page, "dragged");
  await search.click();
  const [[name, center] = ["", undefined]] = await heard(page);
  expect(name).toBe("move");
  expect((center as Point).longitude).toBeLessThan(home.longitude);
  expect((center as Point).latitude).toBeGreaterThan(home.latitude);
  await show(page, center as Point, near, chosen.siteId);
  expect(await search.isVisible()).toBe(false);
});

test("arrows and signs move the map, and Tab leaves it after its two buttons", async () => {
  const page = await openWith({});
  const surface = page.getByRole("group", { name: "Map of the places" });
  await surface.focus();
  const before = await middleOf(page, chosen.siteId);
  await page.keyboard.press("ArrowRight");
  await drawn(page);
  expect(Math.round((await middleOf(page, chosen.siteId)).x - before.x)).toBe(-80);
  const scale = await scaleOf(page);
  await page.keyboard.press("-");
  await page.keyboard.press("-");
  await drawn(page);
  expect(await scaleOf(page)).not.toBe(scale);
  const focused = () => page.evaluate(() => document.activeElement?.shadowRoot?.activeElement?.getAttribute("aria-label") ?? "outside");
  const stops = [await focused()];
  for (let press = 0; press < 3; press++) {
    await page.keyboard.press("Tab");
    stops.push(await focused());
  }
  expect(stops).toEqual(["Map of the places", "Closer", "Farther", "outside"]);
});

test("the wheel scrolls the page, and zooms only with Ctrl", async () => {
  const page = await openWith({});
  await page.evaluate(() => document.body.append(Object.assign(document.createElement("p"), { textContent: "\n".repeat(3) })));
  await page.locator("p").evaluate((paragraph) => {
    paragraph.style.height = "2000px";
  });
  const scale = await scaleOf(page);
  await page.mouse.move(200, 200);
  await page.mouse.wheel(0, 300);
  // The whole way: a page that still glides would not stay at its top.
  await page.waitForFunction(() => scrollY === 300);
  expect(await scaleOf(page)).toBe(scale);
  await page.evaluate(() => scrollTo(0, 0));
  await page.keyboard.down("Control");
  await page.mouse.wheel(0, 900);
  await page.keyboard.up("Control");
  await expect.poll(() => scaleOf(page)).not.toBe(scale);
  expect(await page.evaluate(() => scrollY)).toBe(0);
});

test("two fingers zoom, around the place between them", async () => {
  const page = await openWith({ hasTouch: true });
  const session = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", points: [number, number][]) =>
    session.send("Input.dispatchTouchEvent", { type, touchPoints: points.map(([x, y], id) => ({ x, y, id })) });
  const scale = await scaleOf(page);
  await touch("touchStart", [[280, 220]]);
  await touch("touchStart", [
    [280, 220],
    [320, 220],
  ]);
  await touch("touchMove", [
    [260, 220],
    [340, 220],
  ]);
  await touch("touchMove", [
    [200, 220],
    [400, 220],
  ]);
  await touch("touchEnd", []);
  await expect.poll(() => scaleOf(page)).not.toBe(scale);
  const you = await page.locator(".map-you").evaluate((element) => element.getBoundingClientRect().left);
  expect(Math.abs(you - 300)).toBeLessThan(3);
});

test("of 200 sites none that is labelled lies on another, the chosen one is labelled, and a site that is chosen comes into sight", async () => {
  const sites = sitesAround(home, 200, 0.03);
  const last = sites.findLast(({ state }) => state === "free") as MapSite;
  const page = await openWith({}, home, sites, chosen.siteId);
  await show(page, home, sites, last.siteId);
  await picture(page, "two-hundred");
  const boxes = await page.locator(".map-marker:not(.is-dot)").evaluateAll((elements) =>
    elements.map((element) => ({
      box: element.getBoundingClientRect().toJSON() as DOMRect,
      id: (element as HTMLElement).dataset.siteId,
    })),
  );
  const overlaps = boxes.flatMap(({ box, id }, index) =>
    boxes
      .slice(index + 1)
      .filter(({ box: at }) => box.left < at.right && at.left < box.right && box.top < at.bottom && at.top < box.bottom)
      .map((one) => [id, one.id]),
  );
  expect(overlaps).toEqual([]);
  expect(boxes.length).toBeGreaterThan(20);
  expect(await page.locator(".map-marker").count()).toBe(200);
  const { x, y } = await middleOf(page, last.siteId);
  expect(boxes.map(({ id }) => id)).toContain(last.siteId);
  expect([x >= 40 && x <= 560, y >= 40 && y <= 400]).toEqual([true, true]);
});

test("the map stays where it was dragged when the same sites are told anew", async () => {
  const page = await openWith({});
  await drag(page, { x: 40, y: 300 }, 60, -30);
  const before = await middleOf(page, other.siteId);
  await show(
    page,
    home,
    near.map((site) => ({ ...site, label: "3" })),
    chosen.siteId,
  );
  expect(await middleOf(page, other.siteId)).toEqual(before);
});

test.each<MapLook & { name: string }>([
  { name: "light-320", width: 320, height: 210 },
  { name: "dark-320", width: 320, height: 210, scheme: "dark" },
  { name: "dark-600", scheme: "dark" },
  { name: "forced-colors", hasForcedColors: true },
])("axe finds nothing, $name", async ({ name, ...look }) => {
  const page = await openWith(look);
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(`axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`);
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
  await picture(page, `${name}-street`);
  for (let press = 0; press < 4; press++) await page.getByRole("button", { name: "Farther" }).click();
  await drawn(page);
  await picture(page, `${name}-city`);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(look.width ?? 600);
});

test("a map that is shown before it has room is right once it has, and a closed one leaves nothing", async () => {
  const page = await browser.open();
  await page.evaluate(() => document.querySelector("#place")?.setAttribute("hidden", ""));
  await page.evaluate(() => mapPage.open());
  await show(page, home, near, chosen.siteId);
  await page.evaluate(() => document.querySelector("#place")?.removeAttribute("hidden"));
  await expect.poll(async () => Math.round((await page.locator(".map-you").boundingBox())?.x ?? 0)).toBe(300);
  await page.evaluate(() => mapPage.close());
  expect(await page.locator(".map-root").count()).toBe(0);
});
