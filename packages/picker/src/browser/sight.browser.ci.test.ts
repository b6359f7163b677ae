import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { CancellationReason } from "@petak/protocol";
import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { languageTags } from "../words/languages.ts";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findCutOff, findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

const picturesDir = process.env.PETAK_PICTURES_DIR;
const exitA = "MRT Aljunied, exit A";
const kedai = "Kedai Rahmat, Geylang East";
let market: Market;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

beforeAll(async () => {
  market = await startMarket();
});

afterAll(() => market[Symbol.asyncDispose]());

async function openCheckout(options: BrowserContextOptions): Promise<Page> {
  const page = await browser.open(market.shop.page(market.picker(`name="place" point="${aljunied}"`)), options);
  await page.locator(".facts").getByText("22:00").waitFor();
  await page.locator(".map-marker").first().waitFor();
  return page;
}

async function picture(page: Page, name: string): Promise<void> {
  if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `picker-${name}.png`) });
}

/** What of an element's look can be seen with forced colours. */
const lookOf = (page: Page, selector: string) =>
  page
    .locator(selector)
    .first()
    .evaluate((element) => {
      const { borderTopStyle, borderTopWidth, outlineStyle, outlineWidth, outlineColor, backgroundColor } = getComputedStyle(element);
      return { borderTopStyle, borderTopWidth, outlineStyle, outlineWidth, outlineColor, backgroundColor };
    });

test.each(["light", "dark"] as const)(
  "with forced colours, %s, choice, focus and what is free are told apart by more than colour",
  async (colorScheme) => {
    const page = await openCheckout({ viewport: { width: 1040, height: 844 }, forcedColors: "active", colorScheme });
    const held = await market.merchant.client.reservations.reserve({
      requestId: randomUUID(),
      place: { case: "siteId", value: market.sites[kedai] ?? "" },
      parcel: { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 },
    });
    // The list is not refreshed, so that the place that went stays in it.
    await page.route("**/FindNearest", () => undefined);
    await page.getByText(kedai).click();
    await page.getByRole("button", { name: "Collect here" }).click();
    await page.getByText(`The last place at ${kedai} has just gone.`).waitFor();
    await market.merchant.client.reservations.cancel({
      requestId: randomUUID(),
      reservationId: held.reservation?.reservationId ?? "",
      reason: CancellationReason.ORDER_CANCELLED,
    });
    await page.getByRole("radio", { name: exitA, checked: true }).focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowUp");
    expect(await lookOf(page, ".place input:checked")).toMatchObject({ borderTopWidth: "7px", outlineStyle: "solid", outlineWidth: "3px" });
    expect(await lookOf(page, ".place input:not(:checked, :disabled)")).toMatchObject({ borderTopWidth: "2px", borderTopStyle: "solid" });
    expect(await lookOf(page, ".place input:disabled")).toMatchObject({ borderTopStyle: "dashed" });
    expect(await lookOf(page, ".place:has(input:checked)")).toMatchObject({ outlineStyle: "solid", outlineWidth: "2px" });
    expect(await lookOf(page, ".place:has(input:not(:checked))")).toMatchObject({ outlineStyle: "none" });
    expect(await page.locator(".place:has(input:disabled)").getByText("Full").count()).toBe(1);
    const focus = await lookOf(page, ".place input:checked");
    expect(focus.outlineColor).not.toBe((await lookOf(page, ".picker")).backgroundColor);
    // The map: what is chosen is filled, what is full has a broken line.
    const [chosen, free, full] = await Promise.all(
      [".is-chosen", ".is-free:not(.is-chosen)", ".is-full"].map((each) => lookOf(page, each)),
    );
    expect(new Set([chosen?.backgroundColor, free?.backgroundColor]).size).toBe(2);
    expect([free?.borderTopStyle, full?.borderTopStyle]).toEqual(["solid", "dashed"]);
    await page.getByRole("button", { name: "Step-free" }).focus();
    expect((await lookOf(page, ".chip:focus-visible")).outlineStyle).toBe("solid");
    await picture(page, `forced-colours-${colorScheme}`);
    expect(await findFaults(page)).toEqual([]);
  },
);

test("at 200 % zoom on a screen of 1280 px nothing is cut off and the button is in view", async () => {
  const page = await openCheckout({ viewport: { width: 640, height: 512 }, deviceScaleFactor: 2 });
  for (const scroll of [0, 120, 360]) {
    await page.evaluate((y) => scrollTo(0, y), scroll);
    const button = await page.getByRole("button", { name: "Collect here" }).boundingBox();
    expect((button?.y ?? Number.POSITIVE_INFINITY) + (button?.height ?? 0)).toBeLessThanOrEqual(512);
  }
  expect(await findFaults(page)).toEqual([]);
  await picture(page, "zoom-200");
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
  expect(await findFaults(page)).toEqual([]);
});

test.each([320, 640, 1040])("with the spacing of WCAG 1.4.12 no language is cut off, %i px wide", async (width) => {
  const page = await openCheckout({ viewport: { width, height: 844 } });
  await page.evaluate(() => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-block-end: 2em !important }",
    );
    for (const root of [document, document.querySelector("petak-picker")?.shadowRoot]) root?.adoptedStyleSheets.push(sheet);
  });
  for (const tag of languageTags) {
    await page.evaluate((language) => document.querySelector("petak-picker")?.setAttribute("language", language), tag);
    await page.locator(`.picker[lang=${tag}]`).waitFor();
    expect([tag, await findCutOff(page)]).toEqual([tag, []]);
    if (tag === "ta") await picture(page, `spaced-${width}`);
  }
});

test("where less motion is asked for nothing moves by itself, and the map is at once where it goes", async () => {
  const page = await openCheckout({ viewport: { width: 1040, height: 844 }, reducedMotion: "reduce" });
  await page.getByRole("button", { name: "Collect here" }).hover();
  await page.getByRole("button", { name: "Zoom in" }).click();
  const moved = await page.evaluate(async () => {
    const root = document.querySelector("petak-picker")?.shadowRoot;
    const layer = root?.querySelector<HTMLElement>(".map-markers");
    const surface = root?.querySelector<HTMLElement>(".map-surface");
    const seen: string[] = [];
    surface?.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
    for (let frame = 0; frame < 30; frame++) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      seen.push(layer?.style.transform ?? "");
    }
    return { places: new Set(seen.slice(1)).size, running: root?.getAnimations().length };
  });
  expect(moved).toEqual({ places: 1, running: 0 });
});
