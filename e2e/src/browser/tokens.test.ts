import { newChallenge } from "@petak/credential";
import { formatReservationId, formatSiteId } from "@petak/protocol";
import { testStoreCode } from "@petak/testkit";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, it } from "vitest";
import { judgeBoundToken, mintBoundToken, type TokenOrder } from "./page/tokens.ts";
import { type PageServer, startPageServer } from "./page-server.ts";
import { useBrowser } from "./use-browser.ts";

const browser = useBrowser();
const nowMs = Date.UTC(2026, 10, 24, 9);
const [siteId, otherSiteId] = [7, 8].map((number) => formatSiteId("83652b", testStoreCode, number)) as [string, string];
const reservationId = formatReservationId("83652b", "8xk2m4p9q7w3t5z1");
let order: TokenOrder;
let server: PageServer;
let page: Page;

beforeAll(async () => {
  server = await startPageServer();
});

afterAll(() => server[Symbol.asyncDispose]());

beforeEach(async () => {
  page = await browser.open(server.origin);
  order = { siteId, reservationId, notBeforeMs: nowMs, expiresAtMs: nowMs + 3_600_000, challenge: newChallenge() };
});

it("the page's own code cannot evaluate text", async () => {
  expect(await page.evaluate(() => globalThis.testPage.canEvaluateText())).toBe(false);
  await browser.expectComplaints(/^error: Content Security Policy blocked eval by script-src$/);
});

it("a token minted in a page opens a door of its site on Node, with its holder's presence proof", async () => {
  const minted = await page.evaluate((wanted) => globalThis.testPage.mintBoundToken(wanted), order);
  expect(await judgeBoundToken(minted, siteId, nowMs)).toBe(reservationId);
  expect(await judgeBoundToken(minted, otherSiteId, nowMs)).toBe("SITE");
  const stranger = await mintBoundToken(order);
  expect(await judgeBoundToken({ ...minted, presence: stranger.presence }, siteId, nowMs)).toBe("HOLDER_KEY");
});

it("a token minted on Node opens a door of its site in a page, with its holder's presence proof", async () => {
  const minted = await mintBoundToken(order);
  const judge = (token: typeof minted, site: string) =>
    page.evaluate(([one, at, now]) => globalThis.testPage.judgeBoundToken(one, at, now), [token, site, nowMs] as const);
  expect(await judge(minted, siteId)).toBe(reservationId);
  expect(await judge(minted, otherSiteId)).toBe("SITE");
  const stranger = await mintBoundToken(order);
  expect(await judge({ ...minted, presence: stranger.presence }, siteId)).toBe("HOLDER_KEY");
  expect(await judge({ ...minted, issuerPublicKey: stranger.issuerPublicKey }, siteId)).toBe("SIGNATURE");
});
