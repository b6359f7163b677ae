import { afterAll, beforeAll, expect, test } from "vitest";
import { startAppServer } from "./testing/app-server.ts";
import { findCutOff, findFaults, phone, smallPhone, useAppBrowser } from "./testing/use-app-browser.ts";
import { scanByWedge, walkHandOvers } from "./testing/walk.ts";

const browser = useAppBrowser();
let server: Awaited<ReturnType<typeof startAppServer>>;

beforeAll(async () => {
  server = await startAppServer();
});

afterAll(() => server[Symbol.asyncDispose]());

test("hand-overs on a phone of 320 px: nothing is cut off, each target is large, and axe finds nothing", async () => {
  const page = await browser.open(`${server.origin}/#/practice`, smallPhone);
  await walkHandOvers(page, async (name) => {
    const isTold = name === "today" || name === "wrong-parcel";
    expect([name, isTold ? await findFaults(page) : await findCutOff(page)]).toEqual([name, []]);
  });
});

test("a hand-over by keyboard alone, and practice sends nothing", async () => {
  const page = await browser.open(`${server.origin}/#/practice`, { ...phone, scheme: "dark" });
  const requests: string[] = [];
  page.on("request", (request) => {
    if (["fetch", "xhr", "websocket"].includes(request.resourceType())) requests.push(request.url());
  });
  await page.locator(".tile.primary").waitFor();
  /** Tabs to what has these words, and presses it. */
  const press = async (words: string): Promise<void> => {
    for (let tabs = 0; tabs < 40; tabs += 1) {
      await page.keyboard.press("Tab");
      if ((await page.evaluate(() => document.activeElement?.textContent?.trim())) === words) return await page.keyboard.press("Enter");
    }
    throw new Error(`No Tab leads to "${words}".`);
  };
  await press("Hand over");
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe("Hand over");
  await press("482913");
  await press("JX4817724K2");
  await page.getByText("Handed over").waitFor();
  expect(await page.locator("h1").textContent()).toBe("Hand over");
  expect(requests).toEqual([]);
});

test("a scanner that types begins a hand-over from the first screen and ends it", async () => {
  const page = await browser.open(`${server.origin}/#/practice`);
  await page.locator(".tile.primary").waitFor();
  await scanByWedge(page, "482913");
  await page.getByText("B-07").waitFor();
  await scanByWedge(page, "JX4817724K2");
  await page.getByText("Handed over").waitFor();
});
