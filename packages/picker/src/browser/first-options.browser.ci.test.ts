import { createRandom, makeSite } from "@petak/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Market, startMarket } from "./testing/start-market.ts";
import { usePickerBrowser } from "./testing/use-picker-browser.ts";

/** A middle-sized network: sites within some 7 km. */
const siteCount = 1000;
const rounds = 15;
// The same each time, as befits a measurement.
const random = createRandom(7);
/** Within Singapore: from across the strait no site here is offered. */
const somewhere = () => ({ latitude: random.float(1.3, 1.38), longitude: random.float(103.77, 103.9) });
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
  const sites = Array.from({ length: siteCount }, (_, index) =>
    makeSite({ ref: `more-${index}`, ...somewhere() }, { name: `Place ${index}` }),
  );
  for (let from = 0; from < siteCount; from += 100) await market.network.putSites(market.operator, ...sites.slice(from, from + 100));
});

afterAll(() => market[Symbol.asyncDispose]());

/** How long after each point is known its first row stands in the page, in ms. */
function timesTo(page: Page, points: readonly string[]): Promise<number[]> {
  return page.evaluate(async (points) => {
    const picker = document.querySelector("petak-picker");
    const root = picker?.shadowRoot;
    const times: number[] = [];
    for (const point of points) {
      const before = root?.querySelector(".place");
      const startMs = performance.now();
      await new Promise<void>((resolve) => {
        const observer = new MutationObserver(() => {
          const row = root?.querySelector(".place");
          if (row === null || row === before) return;
          observer.disconnect();
          resolve();
        });
        observer.observe(root as ShadowRoot, { childList: true, subtree: true });
        picker?.setAttribute("point", point);
      });
      times.push(performance.now() - startMs);
    }
    return times;
  }, points);
}

test("the first options come soon after the point is known: the figure is printed", async () => {
  const page = await browser.open(market.shop.page(market.picker()));
  await page.getByText("Say where you are").waitFor();
  const points = Array.from({ length: rounds }, () => Object.values(somewhere()).join(","));
  const times = await timesTo(page, points);
  expect(times).toHaveLength(rounds);
  const [first = 0] = times;
  const sorted = times.toSorted((one, other) => one - other).map(Math.round);
  process.stdout.write(
    `First options after the point is known, among ${siteCount} sites, over loopback: the first search ${Math.round(first)} ms; of ${rounds} searches median ${sorted[Math.floor(rounds / 2)]} ms, slowest ${sorted.at(-1)} ms\n`,
  );
});

test("hours and entrances are asked for as rows come into view", async () => {
  const page = await browser.open("about:blank");
  const asked: string[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/GetSite")) asked.push((request.postDataJSON() as { siteId: string }).siteId);
  });
  await page.goto(market.shop.page(market.picker(`point="1.3400,103.8300"`)));
  const rows = page.locator(".place");
  await rows.first().locator(".facts").getByText("Open 24 h").waitFor();
  const siteIds = await page.getByRole("radio").evaluateAll((radios) => radios.map((radio) => (radio as HTMLInputElement).value));
  expect(siteIds).toHaveLength(10);
  const last = siteIds.at(-1);
  expect(asked).not.toContain(last);
  await rows.last().scrollIntoViewIfNeeded();
  await rows.last().locator(".facts").getByText("Open 24 h").waitFor();
  expect(asked).toContain(last);
  expect(asked.toSorted()).toEqual([...new Set(asked)].toSorted());
});
