import { expect, test } from "vitest";
import { sitesAround } from "./testing/sites-around.ts";
import { useMapBrowser } from "./testing/use-map-browser.ts";

// The software renderer, which machines without a graphics card have.
const browser = useMapBrowser(["--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist"]);

const home = { latitude: 1.3163, longitude: 103.8829 };
const sites = sitesAround(home, 12, 0.008);

/** A style without an address, whose ground is pink and which has a square that the worker cuts. */
const style = {
  version: 8,
  sources: {
    square: {
      type: "geojson",
      attribution: "© The square's owner",
      data: {
        type: "Polygon",
        coordinates: [
          [
            [103.87, 1.31],
            [103.9, 1.31],
            [103.9, 1.33],
            [103.87, 1.33],
            [103.87, 1.31],
          ],
        ],
      },
    },
  },
  layers: [
    { id: "ground", type: "background", paint: { "background-color": "#ffddee" } },
    { id: "square", type: "fill", source: "square", paint: { "fill-color": "#ddeeff" } },
  ],
};

test("a shop's style is drawn below the markers, with its owner named, under a policy that forbids data: and blob:", async () => {
  const page = await browser.open();
  await page.evaluate((style) => mapPage.open(style), style);
  await page.evaluate(([origin, sites]) => mapPage.show(origin, sites), [home, sites] as const);
  await page.locator(".map-root.is-styled").waitFor();
  expect(await page.locator(".maplibregl-ctrl-attrib").textContent()).toContain("The square's owner");
  const before = await page.locator(".map-you").boundingBox();
  await page.mouse.move(100, 300);
  await page.mouse.down();
  await page.mouse.move(160, 320, { steps: 4 });
  await page.mouse.up();
  await expect.poll(async () => Math.round(((await page.locator(".map-you").boundingBox())?.x ?? 0) - (before?.x ?? 0))).toBe(60);
  if (process.env.PETAK_PICTURES_DIR !== undefined) await page.screenshot({ path: `${process.env.PETAK_PICTURES_DIR}/styled.png` });
  await page.evaluate(() => mapPage.close());
});

test("where the policy blocks the worker, the map's own shapes stay and markers can be pressed", async () => {
  browser.allowComplaints(/worker/i);
  const page = await browser.open({ policy: "worker-src 'none'" });
  const isBlocked = page.waitForEvent("console", { predicate: (message) => /worker/i.test(message.text()) });
  await page.evaluate((style) => mapPage.open(style), style);
  await page.evaluate(([origin, sites]) => mapPage.show(origin, sites), [home, sites] as const);
  await isBlocked;
  await page.locator(".map-marker").last().click();
  expect(await page.evaluate(() => mapPage.heard)).toEqual([["pick", sites[0]?.siteId]]);
  expect(await page.locator(".map-root.is-styled").count()).toBe(0);
});

test("where a style cannot be loaded, the map's own shapes stay", async () => {
  browser.allowComplaints(/404/);
  const page = await browser.open();
  await page.evaluate(() => mapPage.open("/no-such-style.json"));
  const failed = page.waitForResponse((response) => response.url().endsWith("/no-such-style.json"));
  await page.evaluate(([origin, sites]) => mapPage.show(origin, sites), [home, sites] as const);
  await failed;
  await page.locator(".map-marker").last().click();
  expect(await page.evaluate(() => mapPage.heard)).toEqual([["pick", sites[0]?.siteId]]);
});
