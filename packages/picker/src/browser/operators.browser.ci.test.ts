import { join } from "node:path";
import { Role } from "@petak/protocol";
import { makeSite } from "@petak/testkit";
import type { TestParticipant } from "@petak/testkit/network";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

const picturesDir = process.env.PETAK_PICTURES_DIR;
const exitA = "MRT Aljunied, exit A";
const [lebar, changi] = ["Lebar Plaza", "Changi Village"];
let market: Market;
let other: TestParticipant;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
  other = await market.network.join("Lain", [Role.OPERATOR]);
  await market.network.putSite(other, makeSite({ ref: "a", latitude: 1.3165, longitude: 103.8835 }, { name: lebar }));
  await market.network.putSite(other, makeSite({ ref: "b", latitude: 1.3885, longitude: 103.9875 }, { name: changi }));
});

afterAll(() => market[Symbol.asyncDispose]());

const open = (more: string, width = 1040): Promise<Page> =>
  browser.open(market.shop.page(market.picker(`point="${aljunied}" ${more}`)), { viewport: { width, height: 844 } });

const operators = (page: Page) => page.getByRole("button", { name: /^(Kotak|Lain)$/ });

test("a shopper shows the places of one operator, and of both", async () => {
  const page = await open("");
  await page.getByRole("radio", { name: lebar }).waitFor();
  expect(await operators(page).allTextContents()).toEqual(["Kotak", "Lain"]);
  await page.getByRole("button", { name: "Kotak" }).click();
  await page.getByRole("radio", { name: lebar }).waitFor({ state: "detached" });
  expect(await page.getByRole("radio").count()).toBe(4);
  await page.getByText(/nearby (is|are) not offered/).click();
  await page.getByText("Of another operator").first().waitFor();
  expect(await findFaults(page)).toEqual([]);
  await page.getByRole("button", { name: "Lain" }).click();
  await page.getByRole("radio", { name: lebar }).waitFor();
  expect(await page.getByRole("radio").count()).toBe(6);
});

test("a filter by operator stays where the shopper goes, and what else is there can be shown", async () => {
  const page = await open("");
  await page.getByRole("radio", { name: lebar }).waitFor();
  await page.getByRole("button", { name: "Kotak" }).click();
  await page.getByRole("radio", { name: lebar }).waitFor({ state: "detached" });
  await page.evaluate(() => document.querySelector("petak-picker")?.setAttribute("point", "1.3880,103.9870"));
  await page.getByRole("button", { name: "Lain" }).click();
  await page.getByRole("radio", { name: changi }).waitFor();
  await page.getByRole("button", { name: "Kotak" }).click();
  await page.getByRole("radio", { name: exitA }).waitFor({ state: "detached" });
  expect(await page.getByRole("button", { name: "Lain" }).getAttribute("aria-pressed")).toBe("true");
});

test.each([320, 390, 1040])("the filters by operator have room, %i px wide", async (width) => {
  const page = await open("", width);
  await page.getByRole("radio", { name: lebar }).waitFor();
  if (width < 600) await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "Lain" }).click();
  await page.getByRole("radio", { name: exitA }).waitFor({ state: "detached" });
  expect(await findFaults(page)).toEqual([]);
  if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `picker-operators-${width}.png`) });
});

test("where the shop allows one operator, no filter offers another", async () => {
  const page = await open(`operators="${market.operator.participantId}"`);
  await page.getByText(/nearby (is|are) not offered/).click();
  await page.getByText("Of another operator").first().waitFor();
  expect([await page.getByRole("radio").count(), await operators(page).count()]).toEqual([4, 0]);
});
