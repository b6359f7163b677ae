import { randomUUID } from "node:crypto";
import { Mode } from "@petak/protocol";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type GatewayProxy, proxyGateway } from "./testing/proxy-gateway.ts";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

const exitA = "MRT Aljunied, exit A";
const cannotBeShown = "Places to collect cannot be shown here. Choose another delivery, or tell the shop.";
let market: Market;
let gateway: GatewayProxy;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

beforeEach(() => {
  gateway = proxyGateway(market.network.baseUrl);
  market.shop.answer = gateway.answer;
});

afterAll(() => market[Symbol.asyncDispose]());

/** A checkout by the shop's own path to the gateway. @param change attributes that are other */
const checkout = (change: Readonly<Record<string, string>> = {}, more = ""): string => {
  const element = Object.entries({ gateway: "/gateway", point: aljunied, ...change }).reduce(
    (html, [name, value]) => html.replace(new RegExp(` ${name}="[^"]*"`), ` ${name}="${value}"`),
    market.picker(`name="place" point="" ${more}`),
  );
  return market.shop.page(element);
};

/** The reasons that the shop's page heard. */
const reasons = (page: Page): Promise<string[]> =>
  page.evaluate(async () => {
    const heard: string[] = [];
    document.querySelector("petak-picker")?.addEventListener("petak-error", ({ detail }) => heard.push(detail.reason));
    await new Promise((resolve) => setTimeout(resolve));
    return heard;
  });

test("a key of another origin is the shop's fault, and the shopper hears the way on", async () => {
  const { publishableKey } = await market.merchant.client.participants.createPublishableKey({
    requestId: randomUUID(),
    origins: ["https://other.example"],
    mode: Mode.TEST,
  });
  browser.allowComplaints(/403/);
  const page = await browser.open(checkout({ "publishable-key": publishableKey?.publishableKey ?? "" }));
  await page.getByRole("alert").getByText(cannotBeShown).waitFor();
  expect(await reasons(page)).toEqual(["ORIGIN_NOT_ALLOWED"]);
  expect(await findFaults(page)).toEqual([]);
});

test.each([
  [{ "publishable-key": "pk_test_g0rz8n5k2w4y7q1m3t6v9x0c" }, /401/, "KEY_UNKNOWN"],
  [{ "mass-g": "2000000" }, /never/, "ATTRIBUTE_INVALID"],
  [{ point: "somewhere" }, /never/, "ATTRIBUTE_INVALID"],
])("%j is told to the shop", async (change, complaint, reason) => {
  browser.allowComplaints(complaint);
  const page = await browser.open(checkout(change));
  await page.getByRole("alert").getByText(cannotBeShown).waitFor();
  expect(await reasons(page)).toEqual([reason]);
});

test("a language that it does not speak is told to the shop, and the shopper reads English", async () => {
  const page = await browser.open(checkout({}, `language="tlh"`));
  await page.getByRole("radio", { name: exitA }).waitFor();
  expect(await reasons(page)).toEqual(["LANGUAGE_UNKNOWN"]);
});

test("a gateway that is down is tried again by the shopper, when it is back", async () => {
  browser.allowComplaints(/ERR_(EMPTY_RESPONSE|CONNECTION_RESET)/);
  gateway.state = "down";
  const page = await browser.open(checkout());
  await page.getByText("The places did not load. Check your connection and try again.").waitFor();
  expect(await reasons(page)).toEqual(["GATEWAY_UNREACHABLE"]);
  gateway.state = "open";
  await page.getByRole("button", { name: "Try again" }).click();
  await page.getByRole("radio", { name: exitA }).waitFor();
});

test("while a gateway is slow, the picker keeps the room of the list and says how long it has taken", async () => {
  gateway.state = "late";
  const page = await browser.open(checkout());
  await page.getByText("Still waiting for the places").waitFor();
  expect(await findFaults(page)).toEqual([]);
  gateway.state = "open";
  const [found, again] = [page.getByRole("radio", { name: exitA }), page.getByRole("button", { name: "Try again" })];
  // Where looking for faults took so long that the picker has given up, the shopper goes on.
  await found.or(again).waitFor();
  if (await again.isVisible()) await again.click();
  await found.waitFor();
});

test("an address at which there is no gateway is told to the shop", async () => {
  browser.allowComplaints(/404/);
  gateway.state = "older";
  const page = await browser.open(checkout());
  await page.getByText(cannotBeShown).waitFor();
  expect(await reasons(page)).toEqual(["GATEWAY_ANSWER_INVALID"]);
});

test("an address is looked up by the shop: one that is clear, one that is not, and one that is nowhere", async () => {
  const page = await browser.open(checkout({ point: "" }));
  await page.evaluate(() => {
    const picker = document.querySelector("petak-picker");
    const [latitude, longitude] = [1.3164, 103.8829];
    const places = [
      { label: "Blk 98A Aljunied Crescent", latitude, longitude },
      { label: "Blk 98B Aljunied Crescent", latitude, longitude },
    ];
    if (picker !== null) picker.resolveAddress = (text) => places.filter(({ label }) => label.includes(text));
  });
  const field = page.getByRole("searchbox");
  await field.fill("<b>nowhere</b>");
  await field.press("Enter");
  await page.getByText("No place was found for “<b>nowhere</b>”. Type it in another way.").waitFor();
  await field.fill("Aljunied");
  await field.press("Enter");
  await page.getByText("Which one do you mean?").waitFor();
  expect(await findFaults(page)).toEqual([]);
  await page.getByRole("button", { name: "Blk 98B Aljunied Crescent" }).click();
  await page.getByRole("radio", { name: exitA }).waitFor();
  expect(await field.inputValue()).toBe("Blk 98B Aljunied Crescent");
});
