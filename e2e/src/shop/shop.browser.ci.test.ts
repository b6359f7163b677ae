import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { usePickerBrowser } from "@petak/picker/testing/browser";
import { ReservationState } from "@petak/protocol";
import { readCodes } from "@petak/store-app/testing/read-code";
import { freePort } from "@petak/testkit";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { findFaults } from "./find-faults.ts";
import { corner, kiosk, openTown, square, type Town } from "./open-town.ts";

const picturesDir = process.env.PETAK_PICTURES_DIR;
let town: Town;
const shopper = usePickerBrowser((origin) => origin === town.shop.url || origin === town.network.baseUrl);

beforeAll(async () => {
  town = await openTown();
});

afterAll(() => town.close());

afterEach(() => {
  expect(town.complaints.splice(0)).toEqual([]);
});

/** What a checkout's form sends, without a browser. */
async function post(path: string, fields: Record<string, string>, headers: Record<string, string> = {}, url = town.shop.url) {
  const response = await fetch(`${url}${path}`, { method: "POST", body: new URLSearchParams(fields), headers, redirect: "manual" });
  return { status: response.status, location: response.headers.get("location") ?? "", text: await response.text() };
}

const form = (place: string, more: Record<string, string> = {}) => ({
  ...{ form: randomUUID(), product: "teapot", near: "Singapore", buyer: "Mei", place: town.sites[place] ?? "" },
  ...more,
});

/** An order, made and perhaps paid without a browser. */
async function order(place: string, isPaid: boolean): Promise<string> {
  const { location } = await post("/orders", form(place));
  if (isPaid) await post(`${location}/pay`, {});
  return `${town.shop.url}${location}`;
}

async function freeAt(place: string): Promise<number | undefined> {
  const { availabilities } = await town.merchant.client.directory.getAvailability({ siteIds: [town.sites[place] ?? ""] });
  return availabilities[0]?.sizeClasses[0]?.freeToPromise;
}

const press = (page: Page, name: string) => page.getByRole("button", { name }).click();
const heading = (page: Page, name: string) => page.getByRole("heading", { level: 1, name }).waitFor();

async function orderInBrowser(page: Page, place: string, buyer: string): Promise<void> {
  await page.getByText(place).first().click();
  await press(page, "Collect here");
  await page.getByText("You collect at").waitFor();
  await page.getByLabel("Your name").fill(buyer);
  await press(page, "Order");
  await heading(page, "Pay to keep your place");
}

test("somebody buys a teapot, sees it sent, and collects it with the code that the page shows", async () => {
  const buyer = `<img src=x onerror=alert(1)> "O'Hara" & Söhne`;
  const page = await shopper.open(town.shop.url);
  await page.getByRole("link", { name: "Buy the Clay teapot" }).click();
  await orderInBrowser(page, corner, buyer);
  await page.reload();
  await heading(page, "Pay to keep your place");
  expect(await page.getByText(buyer).count()).toBe(1);
  await press(page, "Pay S$ 38.00");
  await heading(page, "Sent");
  expect(await page.getByText("Your code").count()).toBe(0);
  await town.deposit(page.url());
  await heading(page, "Ready to collect");
  const token = (await readCodes(await page.locator(".qr").screenshot()))[0] ?? "";
  expect(token.split(".")).toHaveLength(3);
  const pin = (await page.locator(".pin").textContent())?.replace(" ", "") ?? "";
  expect((await town.terminal.visit({ pin })).opened).toBe(true);
  await heading(page, "Collected");
  expect(await page.getByRole("status").textContent()).toBe("Collected");
  const { reservationId } = await town.reservationOf(page.url());
  const chain = await town.merchant.client.custody.getCustodyChain({ reservationId });
  const replacer = (_key: string, value: unknown) => (typeof value === "bigint" ? String(value) : value);
  expect(JSON.stringify([chain, town.network.lines], replacer)).not.toContain("Hara");
});

test("another town moves the picker to the places there, also after a choice, and what was typed stays", async () => {
  const page = await shopper.open(`${town.shop.url}/checkout?product=lamp`);
  await page.getByRole("radio", { name: corner }).waitFor();
  await press(page, "Collect here");
  await page.getByText("You collect at").waitFor();
  await page.getByLabel("Your name").fill("Mei");
  await page.getByLabel("Collect near").selectOption("Kuala Lumpur");
  await page.getByRole("radio", { name: square, checked: true }).waitFor();
  expect(await page.getByLabel("Your name").inputValue()).toBe("Mei");
});

test("a postal code moves the picker to the places there, and one that is nowhere is said to be", async () => {
  const page = await shopper.open(`${town.shop.url}/checkout?product=lamp&near=Kuala+Lumpur`);
  await page.getByRole("radio", { name: square }).waitFor();
  const field = page.getByRole("searchbox");
  await field.fill("990000");
  await field.press("Enter");
  await page.getByText("No place was found for “990000”.").waitFor();
  await field.fill("Orchard Road, Singapore 238801");
  await field.press("Enter");
  await page.getByRole("radio", { name: corner }).waitFor();
  expect(await field.inputValue()).toBe("238801, Orchard, Cairnhill, River Valley");
});

test("cancelling before the deposit frees the place; after it nothing is cancelled, also from a page of before", async () => {
  const url = await order(kiosk, true);
  expect(await freeAt(kiosk)).toBe(0);
  const page = await shopper.open(url);
  await press(page, "Cancel the order");
  await heading(page, "Cancelled");
  expect(await freeAt(kiosk)).toBe(1);

  const late = await shopper.open(await order(corner, true), { javaScriptEnabled: false });
  await town.deposit(late.url());
  await press(late, "Cancel the order");
  await heading(late, "Ready to collect");
});

test("a hold that ends while the buyer thinks offers the next best, which one press takes", async () => {
  const page = await shopper.open(await order(kiosk, false));
  await heading(page, "Pay to keep your place");
  const rival = { requestId: randomUUID(), parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 } };
  town.clock.advance(16 * 60_000);
  await heading(page, "Your place was let go");
  await town.merchant.client.reservations.reserve({ ...rival, place: { case: "siteId", value: town.sites[kiosk] ?? "" } });
  await page.reload();
  await page.getByRole("heading", { name: corner }).waitFor();
  await press(page, "Collect there");
  await press(page, "Pay S$ 38.00");
  await heading(page, "Sent");
  expect(await page.getByText(corner).count()).toBeGreaterThan(0);
});

test("without scripts a list leads to an order, and paying too late is no error", async () => {
  const page = await shopper.open(`${town.shop.url}/checkout?product=teapot&near=Kuala+Lumpur`, { javaScriptEnabled: false });
  await page.getByRole("link", { name: "Choose from a list" }).click();
  await page.getByRole("radio", { name: square }).waitFor();
  await page.getByLabel("Collect near").selectOption("Singapore");
  await press(page, "Show places");
  await page.getByRole("radio", { name: corner }).check();
  await page.getByLabel("Your name").fill("Mei");
  await press(page, "Order");
  await heading(page, "Pay to keep your place");
  town.clock.advance(16 * 60_000);
  await expect.poll(async () => (await town.reservationOf(page.url())).state).toBe(ReservationState.EXPIRED);
  await press(page, "Pay S$ 38.00");
  await heading(page, "Your place was let go");
  await press(page, "Collect there");
  await heading(page, "Pay to keep your place");
});

test("a form that is sent twice is one order with one reservation", async () => {
  const before = await freeAt(square);
  const fields = form(square);
  const answers = await Promise.all([post("/orders", fields), post("/orders", fields)]);
  answers.push(await post("/orders", fields));
  expect(new Set(answers.map(({ status, location }) => `${status} ${location}`)).size).toBe(1);
  expect(await freeAt(square)).toBe((before ?? 0) - 1);
  const page = await shopper.open(`${town.shop.url}/checkout?product=lamp&near=Kuala+Lumpur`);
  await page.getByRole("radio", { name: square, checked: true }).waitFor();
  await press(page, "Collect here");
  await page.getByText("You collect at").waitFor();
  await page.getByLabel("Your name").fill("Mei");
  await page.getByRole("button", { name: "Order" }).dblclick();
  await heading(page, "Pay to keep your place");
  expect(await freeAt(square)).toBe((before ?? 0) - 2);
});

test("a choice that is forged, or was made for another place, is refused with a sentence, and nothing is reserved", async () => {
  const before = [await freeAt(corner), await freeAt(square)];
  const parcel = { widthMm: 240, heightMm: 150, depthMm: 180, massG: 900 };
  const { fits } = await town.merchant.client.directory.checkFit({ siteIds: [town.sites[square] ?? ""], parcel });
  const choice = fits[0]?.choice ?? "";
  const forged = `${choice.slice(0, -8)}AAAAAAAA`;
  const answers = [
    await post("/orders", form(square, { "place-choice": forged })),
    await post("/orders", form(corner, { "place-choice": choice })),
    await post("/orders", form(square, { "place-choice": "x".repeat(5000) })),
  ];
  expect(answers.map(({ status }) => status)).toEqual([409, 409, 409]);
  expect(answers.map(({ text }) => /role="alert">([^<]+)</.exec(text)?.[1])).toEqual([
    "Your choice of a place could not be verified. Choose it again.",
    "Your choice of a place was for something else. Choose it again.",
    "Your choice of a place could not be read. Choose it again.",
  ]);
  expect([await freeAt(corner), await freeAt(square)]).toEqual(before);
});

test("forms of other sites, forms that lack something, and more than the shop keeps are refused", async () => {
  const lacking = [
    post("/orders", form(corner), { "sec-fetch-site": "cross-site" }),
    post("/orders", form(corner, { buyer: "x".repeat(20_000) })),
    post("/orders", form(corner, { buyer: "  " })),
    post("/orders", form("nowhere")),
    post("/orders", form(corner, { product: "nothing" })),
    post("/orders/00000000/pay", {}),
    post("/orders", form(corner, { place: "site_83652b_0000000000000000" })),
  ];
  expect((await Promise.all(lacking)).map(({ status }) => status)).toEqual([403, 413, 400, 400, 404, 404, 409]);
  const small = await town.openShop({ maxOrders: 1 });
  const first = await post("/orders", form(square), {}, small.url);
  const full = await post("/orders", form(square), {}, small.url);
  await post(`${first.location}/cancel`, {}, {}, small.url);
  const again = await post("/orders", form(square), {}, small.url);
  await post(`${again.location}/cancel`, {}, {}, small.url);
  await small.stop();
  expect([first.status, full.status, again.status]).toEqual([303, 503, 303]);
  expect(full.text).toContain("The shop has too many orders now.");
  expect(town.complaints.splice(0)).toEqual(["1 orders are in progress, and no more than 1 are kept."]);
});

test("while the gateway does not answer, nothing is ordered and the shopper reads so; afterwards the same form is an order", async () => {
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const away = town.network.clientFor(town.merchant.signer, { baseUrl, retry: false });
  const client = { ...town.merchant.client, directory: away.directory, reservations: away.reservations };
  const cut = await town.openShop({ client });
  const fields = { ...form(square), list: "1" };
  const list = await fetch(`${cut.url}/checkout?product=teapot&list=1`);
  const refused = await post("/orders", fields, {}, cut.url);
  await cut.stop();
  expect([list.status, refused.status]).toEqual([503, 503]);
  for (const text of [await list.text(), refused.text]) expect(text).toContain("cannot be reached now. Nothing was changed");
  expect(refused.text).toContain('value="Mei"');
  expect(town.complaints.splice(0).length).toBeGreaterThan(0);
  const { status, location } = await post("/orders", fields);
  await post(`${location}/cancel`, {});
  expect(status).toBe(303);
});

test.each([
  { width: 390, colorScheme: "light" },
  { width: 390, colorScheme: "dark" },
  { width: 1280, colorScheme: "light" },
  { width: 1280, colorScheme: "dark" },
] as const)("axe finds nothing on any page at $width px, $colorScheme", async ({ width, colorScheme }) => {
  const page = await shopper.open(town.shop.url, { viewport: { width, height: 844 }, colorScheme, bypassCSP: true });
  const look = async (name: string): Promise<void> => {
    expect([name, await findFaults(page)]).toEqual([name, []]);
    if (picturesDir !== undefined) {
      await page.screenshot({ path: join(picturesDir, `shop-${name}-${width}-${colorScheme}.png`), fullPage: true });
    }
  };
  await look("catalogue");
  await page.getByRole("link", { name: "Buy the Clay teapot" }).click();
  await page.getByRole("radio", { name: corner }).waitFor();
  await look("checkout");
  await page.goto(`${town.shop.url}/checkout?product=teapot&list=1`);
  await look("list");
  await page.goto(await order(corner, false));
  await look("pay");
  await press(page, "Pay");
  await heading(page, "Sent");
  await look("sent");
  await town.deposit(page.url());
  await heading(page, "Ready to collect");
  await look("ready");
  const pin = (await page.locator(".pin").textContent())?.replace(" ", "") ?? "";
  await town.terminal.visit({ pin });
  await heading(page, "Collected");
  await look("collected");
  await page.goto(await order(corner, false));
  await press(page, "Cancel the order");
  await look("cancelled");
  await page.goto(await order(corner, false));
  town.clock.advance(16 * 60_000);
  await heading(page, "Your place was let go");
  await look("lost");
  shopper.allowComplaints(/404/);
  await page.goto(`${town.shop.url}/orders/unknown`);
  await look("unknown");
});
