import { randomUUID } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { json } from "node:stream/consumers";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import { reasonOf } from "@petak/protocol";
import { afterAll, beforeAll, expect, test } from "vitest";
import { aljunied, type Market, startMarket } from "./testing/start-market.ts";
import { findFaults, usePickerBrowser } from "./testing/use-picker-browser.ts";

const exitA = "MRT Aljunied, exit A";
const kedai = "Kedai Rahmat, Geylang East";
const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
let market: Market;
/** Where somebody else is a moment faster. */
let rivalAt: string | undefined;
const browser = usePickerBrowser((origin) => origin === market.shop.origin || origin === market.network.baseUrl);

/** Reserves a place as the shop's server does. */
async function reserve(siteId: string) {
  const { reservation } = await market.merchant.client.reservations.reserve({
    requestId: randomUUID(),
    place: { case: "siteId", value: siteId },
    parcel,
    holdDuration: { seconds: 900n },
  });
  return reservation;
}

async function hold(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { siteId } = (await json(request)) as { siteId: string };
  try {
    if (siteId === rivalAt) await reserve(siteId);
    const reservation = await reserve(siteId);
    const heldUntil = reservation?.holdExpiresAt && timestampDate(reservation.holdExpiresAt).toISOString();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify({ holdId: reservation?.reservationId, heldUntil }));
  } catch (error) {
    response.writeHead(reasonOf(error) === "NO_PLACE_FREE" ? 409 : 500).end();
  }
}

beforeAll(async () => {
  market = await startMarket();
  market.shop.answer = (request, response) => {
    if (request.url !== "/hold") return false;
    void hold(request, response);
    return true;
  };
});

afterAll(() => market[Symbol.asyncDispose]());

const checkout = (): string =>
  market.shop.page(
    `<form action="/order">${market.picker(`name="place" hold-url="/hold" point="${aljunied}"`)}<button>Order</button></form>`,
  );

test("a place is held while the shopper pays, with the time that is left, also after a reload", async () => {
  const page = await browser.open(checkout());
  await page.getByRole("radio", { name: exitA }).waitFor();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText(/^Held for you for \d+:\d\d$/).waitFor();
  expect(await findFaults(page)).toEqual([]);
  await page.reload();
  await page.getByText(/^Held for you for \d+:\d\d$/).waitFor();
  await page.getByRole("button", { name: "Order" }).click();
  await page.getByText("Ordered").waitFor();
  const sent = new URL(page.url()).searchParams;
  expect([sent.get("place"), sent.get("place-hold")?.startsWith("res_")]).toEqual([market.sites[exitA], true]);
});

test("a place that went meanwhile is no error: the next best is selected, and one press takes it", async () => {
  const page = await browser.open(checkout());
  await page.getByRole("radio", { name: kedai }).waitFor();
  await page.getByText(kedai).click();
  rivalAt = market.sites[kedai];
  browser.allowComplaints(/409/);
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText(`The last place at ${kedai} has just gone. The next best is ${exitA}.`).waitFor();
  expect(await findFaults(page)).toEqual([]);
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("You collect at").waitFor();
});

test("where the shop's server fails, the shopper chooses without a hold", async () => {
  market.shop.answer = (request, response) => {
    if (request.url !== "/hold") return false;
    response.writeHead(500).end();
    return true;
  };
  browser.allowComplaints(/500/);
  const page = await browser.open(checkout());
  await page.getByRole("radio", { name: exitA }).waitFor();
  await page.getByRole("button", { name: "Collect here" }).click();
  await page.getByText("The place could not be held. You can still collect there while it is free.").waitFor();
  await page.getByText("You collect at").waitFor();
});
