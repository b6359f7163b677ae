import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { CancellationReason } from "@petak/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { languageTags } from "../words/languages.ts";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findCutOff, findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

/** Each state is written here, if it is set, and `picker.png` of `docs/images`. */
const picturesDir = process.env.PETAK_PICTURES_DIR;
const exitA = "MRT Aljunied, exit A";
const kedai = "Kedai Rahmat, Geylang East";
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

/** A checkout whose form goes to `/order`. */
const checkout = (attributes = `point="${aljunied}"`): string =>
  market.shop.page(`<form action="/order">${market.picker(`name="place" required ${attributes}`)}<button>Order</button></form>`);

test("a shopper chooses a place with the mouse, and the order has it", async () => {
  const page = await browser.open(checkout());
  await page.getByText("Open until 22:00").waitFor();
  await page.getByText(kedai).click();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  expect(await page.evaluate(() => document.querySelector("petak-picker")?.value)).toBe(market.sites[kedai]);
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Ordered").waitFor();
  const sent = new URL(page.url()).searchParams;
  expect(sent.get("place")).toBe(market.sites[kedai]);
  const { reservation } = await market.merchant.client.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: sent.get("place") ?? "" },
    parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
    choice: sent.get("place-choice") ?? "",
  });
  expect([sent.has("place-choice"), reservation?.siteId]).toEqual([true, market.sites[kedai]]);
  const cancelled = {
    requestId: randomUUID(),
    reservationId: reservation?.reservationId ?? "",
    reason: CancellationReason.ORDER_CANCELLED,
  };
  await market.merchant.client.reservations.cancel(cancelled);
});

test("a shopper chooses a place with the keyboard alone, and the focus goes to what was chosen", async () => {
  const page = await browser.open(checkout());
  await page.getByRole("radio", { name: exitA }).waitFor();
  await page.evaluate(() => document.querySelector("petak-picker")?.shadowRoot?.querySelector<HTMLElement>("input:checked")?.focus());
  await page.keyboard.press("ArrowDown");
  await page.getByRole("radio", { name: kedai, checked: true }).waitFor();
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await page.getByText("You collect at").waitFor();
  expect(await page.evaluate(() => document.querySelector("petak-picker")?.shadowRoot?.activeElement?.textContent?.trim())).toBe(kedai);
});

test("no order goes out without a place: the picker says what is missing, and keeps what was typed elsewhere", async () => {
  const page = await browser.open(checkout());
  await page.getByRole("radio", { name: exitA }).waitFor();
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByRole("alert").getByText(`Press “Collect here” to collect at ${exitA}.`).waitFor();
  expect(page.url()).not.toContain("/order");
});

test("filters leave what they say, and what is not offered is counted with its reason", async () => {
  const page = await browser.open(checkout());
  await page.getByRole("radio", { name: kedai }).waitFor();
  await page.getByRole("button", { name: "Step-free" }).click();
  await page.getByText("2 places nearby are not offered").click();
  await page.getByText(`${kedai} 410 m`).waitFor();
  expect(await page.getByText("Not known to be step-free").count()).toBe(2);
  expect(await page.getByRole("radio").count()).toBe(2);
  await page.getByRole("button", { name: "More" }).click();
  await page.getByRole("button", { name: "Staffed stores" }).click();
  await page.getByText("No place near here matches what you show only.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await page.getByRole("radio", { name: kedai }).waitFor();
});

test("the places are those that are open at an hour, and each says until when it is open then", async () => {
  const page = await browser.open(checkout(), { viewport: { width: 1040, height: 844 } });
  await page.getByText("Open until 22:00").waitFor();
  // It is 14:00 in Singapore: 21:00 is today, and 09:30 tomorrow.
  const hour = page.getByLabel("Open at");
  await hour.fill("21:00");
  await page.getByText("21:00: Open until 22:00").waitFor();
  await hour.fill("23:00");
  await page.getByText("23:00: Open 24 h").first().waitFor();
  await page.getByText("1 place nearby is not offered").click();
  await page.getByText("Closed at that time").waitFor();
  expect(await page.getByRole("radio", { name: kedai }).count()).toBe(0);
  expect(await findFaults(page)).toEqual([]);
  await hour.fill("09:30");
  await page.getByText("Sun 09:30: Open until 22:00").waitFor();
  await page.getByRole("button", { name: "Open now" }).click();
  await page.getByText("Open until 22:00", { exact: true }).waitFor();
  expect(await hour.inputValue()).toBe("");
});

test("in no language anything is cut off on a phone of 320 px, whichever it is changed to", async () => {
  const page = await browser.open(checkout(), { viewport: { width: 320, height: 640 } });
  await page.locator(".facts").getByText("22:00").waitFor();
  await page.getByRole("button", { name: "More" }).click();
  for (const tag of languageTags) {
    await page.evaluate((language) => document.querySelector("petak-picker")?.setAttribute("language", language), tag);
    await page.locator(`.picker[lang=${tag}]`).waitFor();
    expect([tag, await findCutOff(page)]).toEqual([tag, []]);
    if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `picker-${tag}.png`) });
  }
});

test.each([
  { width: 390, colorScheme: "light" },
  { width: 390, colorScheme: "dark" },
  { width: 1040, colorScheme: "light" },
  { width: 1040, colorScheme: "dark" },
] as const)("axe finds nothing at $width px, $colorScheme", async ({ width, colorScheme }) => {
  const page = await browser.open(checkout(), { viewport: { width, height: 844 }, colorScheme });
  const look = async (name: string): Promise<void> => {
    expect([name, await findFaults(page)]).toEqual([name, []]);
    if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `picker-${name}-${width}-${colorScheme}.png`) });
  };
  await page.getByText("Open until 22:00").waitFor();
  await page.locator(".map-marker").first().waitFor();
  await look("list");
  if (picturesDir !== undefined && width === 1040 && colorScheme === "light") {
    await page.locator("petak-picker").screenshot({ path: join(picturesDir, "picker.png") });
  }
  const button = await page.getByRole("button", { name: "Collect here" }).boundingBox();
  expect((button?.y ?? Number.POSITIVE_INFINITY) + (button?.height ?? 0)).toBeLessThanOrEqual(844);
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByRole("alert").waitFor();
  await look("missing");
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  await look("chosen");
});
