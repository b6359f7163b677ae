import { afterAll, beforeAll, expect, test } from "vitest";
import { type PracticeAgent, startPracticeAgent } from "./testing/practice-agent.ts";
import { phone, useAppBrowser } from "./testing/use-app-browser.ts";
import { scanByWedge } from "./testing/walk.ts";

const browser = useAppBrowser();
let agent: PracticeAgent;

beforeAll(async () => {
  agent = await startPracticeAgent();
});

afterAll(() => agent[Symbol.asyncDispose]());

test("a hand-over is finished without the agent, waits over a reload, and is sent once", async () => {
  browser.allowComplaints(/Failed to load resource|bad HTTP response code \(503\)/);
  const page = await browser.open(agent.origin, phone);
  await page.locator(".tile.primary").click();
  await scanByWedge(page, "482913");
  await page.getByText("B-07").waitFor();
  // The tablet has the app's files before the agent goes away with them.
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
  agent.cut = "after";
  await scanByWedge(page, "JX4817724K2");
  await page.getByText("Done here. It waits to be sent.").waitFor();
  await page.getByText("Offline · 1 waiting").waitFor();
  agent.cut = "before";
  await page.reload();
  await page.getByText("Done here. It waits to be sent.").waitFor();
  await page.locator(".action .button").click();
  await page.locator(".tile.primary").click();
  await page.getByText("no new hand-over can begin").waitFor();
  agent.cut = undefined;
  await page.locator(".pill", { hasText: "Online" }).waitFor();
  await expect.poll(async () => (await agent.port.getCounter()).month?.handedOver).toBe(1);
  expect(await page.getByText("was not taken").count()).toBe(0);
});
