import { create } from "@bufbuild/protobuf";
import { ParcelPlace, ParcelSchema } from "@petak/protocol/counter";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PracticeAgent, startPracticeAgent } from "./testing/practice-agent.ts";
import { countTaps, phone, useAppBrowser } from "./testing/use-app-browser.ts";
import { scanByWedge } from "./testing/walk.ts";

/** 120 parcels, of which 30 are overdue. */
const parcels = Array.from({ length: 120 }, (_, index) =>
  create(ParcelSchema, {
    reservationId: `res_crowd_${index}`,
    labelCodes: [`CR${String(7_000_000 + index * 7919)}Z`],
    shelfPlace: `D-${index + 1}`,
    sizeClassId: "M",
    place: index < 30 ? ParcelPlace.FOR_COURIER : ParcelPlace.ON_SHELF,
  }),
);
const browser = useAppBrowser();
let agent: PracticeAgent;

beforeAll(async () => {
  agent = await startPracticeAgent(parcels);
});

afterAll(() => agent[Symbol.asyncDispose]());

test("with 30 parcels overdue a hand-over begins by one tap, or by a scan alone", async () => {
  const page = await browser.open(agent.origin, phone);
  await page.locator(".badge").waitFor();
  expect(Number(await page.locator(".badge").textContent())).toBeGreaterThanOrEqual(30);
  const taps = await countTaps(page);
  await page.locator(".tile.primary").click();
  await page.getByText("Scan the customer's code").waitFor();
  expect(await taps()).toBe(1);
  await page.locator(".head-back").click();
  await page.locator(".tile.primary").waitFor();
  await scanByWedge(page, "482913");
  await page.getByText("B-07").waitFor();
  expect(await taps()).toBe(2);
});

test.each([3, 60, 117])("of 120 parcels, number %i is found by two taps and its last characters, or by a tap and a scan", async (index) => {
  const { labelCodes: [label = ""] = [], shelfPlace = "" } = parcels[index] ?? {};
  const page = await browser.open(agent.origin, phone);
  await page.locator(".tile.primary").waitFor();
  const taps = await countTaps(page);
  await page.locator(".bar a").nth(1).click();
  await page.locator("input[type=search]").click();
  await page.keyboard.insertText(label.slice(-5));
  await expect.poll(() => page.locator(".rows .row").count()).toBe(1);
  expect([await page.getByText(shelfPlace, { exact: true }).count(), await taps()]).toEqual([1, 2]);
  await page.locator("input[type=search]").fill("");
  await scanByWedge(page, label);
  await page.locator(".place-code", { hasText: shelfPlace }).waitFor();
  expect(await taps()).toBe(2);
});
