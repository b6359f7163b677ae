import { expect, test } from "vitest";
import { sitesAround } from "./testing/sites-around.ts";
import { useMapBrowser } from "./testing/use-map-browser.ts";

const browser = useMapBrowser(["--disable-gpu", "--disable-3d-apis"]);

test("without WebGL a shop's style gives way to the map's own shapes, and markers can be pressed", async () => {
  browser.allowComplaints(/WebGL/i);
  const home = { latitude: 1.3163, longitude: 103.8829 };
  const sites = sitesAround(home, 12, 0.008);
  const page = await browser.open();
  await page.evaluate(() => mapPage.open({ version: 8, sources: {}, layers: [] }));
  await page.evaluate(([origin, sites]) => mapPage.show(origin, sites), [home, sites] as const);
  await page.locator(".map-marker").last().click();
  expect(await page.evaluate(() => mapPage.heard)).toEqual([["pick", sites[0]?.siteId]]);
  expect(await page.locator(".map-root.is-styled, .maplibregl-canvas").count()).toBe(0);
});
