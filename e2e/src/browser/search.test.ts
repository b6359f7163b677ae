import { useRedis } from "@petak/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { brokenRules, type Gateway } from "./page/search.ts";
import { type PageServer, startPageServer } from "./page-server.ts";
import { type SearchNetwork, startSearchNetwork } from "./search-network.ts";
import { useBrowser } from "./use-browser.ts";

const redis = useRedis();
const browser = useBrowser();
let shop: PageServer;
let stranger: PageServer;
let search: SearchNetwork;

beforeAll(async () => {
  [shop, stranger] = await Promise.all([startPageServer(), startPageServer()]);
});

afterAll(async () => {
  await Promise.all([shop[Symbol.asyncDispose](), stranger[Symbol.asyncDispose]()]);
});

beforeEach(async () => {
  search = await startSearchNetwork(redis);
  shop.allowedOrigins = [search.network.baseUrl];
  stranger.allowedOrigins = [search.network.baseUrl];
});

afterEach(() => search.network.stop());

/** The result of a search from the page of an origin, with the key of the shop's origin. */
async function findFrom(origin: string, options: Partial<Gateway> = {}) {
  const page = await browser.open(origin);
  const call = [{ baseUrl: search.network.baseUrl, ...options }, await search.publishableKeyFor(shop.origin)] as const;
  return await page.evaluate(([gateway, key]) => globalThis.testPage.searchByKey(gateway, key), call);
}

describe("A page", () => {
  for (const protocol of ["connect", "connect-json"] as const) {
    it(`finds the nearest sites by a publishable key of its origin, over ${protocol}`, async () => {
      expect(await findFrom(shop.origin, { protocol })).toEqual({ siteIds: search.siteIds });
    });
  }

  it("of another origin is refused, and can read why", async () => {
    expect(await findFrom(stranger.origin)).toEqual({
      reason: "ORIGIN_NOT_ALLOWED",
      message: expect.stringContaining(stranger.origin),
    });
    await browser.expectComplaints(/^error: Failed to load resource: the server responded with a status of 403/);
  });

  it("calls no gateway that its policy does not name", async () => {
    shop.allowedOrigins = [];
    expect(await findFrom(shop.origin, { retry: false })).toMatchObject({ message: expect.stringContaining("could not be reached") });
    await browser.expectComplaints(/^error: Content Security Policy blocked .* by connect-src$/, /Content Security Policy/);
  });

  it("validates a request before it sends it, with the same results as Node", async () => {
    const page = await browser.open(shop.origin);
    const brokenInPage = (json: object) => page.evaluate((text) => globalThis.testPage.brokenRules(text), JSON.stringify(json));
    const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
    expect(await brokenInPage({ origin: { latitude: 1.3, longitude: 103.8 }, parcel })).toEqual([]);
    const openWithin = { from: "2026-11-24T12:00:00Z", to: "2026-11-24T11:00:00Z" };
    const wrong = { origin: { latitude: 91, longitude: 103.8 }, parcel, requirements: { openWithin } };
    expect(await brokenInPage(wrong)).toEqual(brokenRules(wrong));
    expect(brokenRules(wrong).length).toBeGreaterThan(1);
  });
});
