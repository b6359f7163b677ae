import { randomUUID } from "node:crypto";
import { decodeBase64url } from "@petak/credential";
import { Mode, Role } from "@petak/protocol";
import { makeSite, useRedis } from "@petak/testkit";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { startTestNetwork, type TestNetwork, type TestParticipant, testAudience } from "../test-network.ts";
import { brokenRules } from "./page/search.ts";
import { type PageServer, startPageServer } from "./page-server.ts";
import { useBrowser } from "./use-browser.ts";

const redis = useRedis();
const browser = useBrowser();
let shop: PageServer;
let stranger: PageServer;
let network: TestNetwork;
let merchant: TestParticipant;
let siteIds: string[];

beforeAll(async () => {
  [shop, stranger] = await Promise.all([startPageServer(), startPageServer()]);
});

afterAll(async () => {
  await Promise.all([shop[Symbol.asyncDispose](), stranger[Symbol.asyncDispose]()]);
});

beforeEach(async () => {
  network = await startTestNetwork(redis.address, redis.keyPrefix);
  shop.allowedOrigins = [network.baseUrl];
  stranger.allowedOrigins = [network.baseUrl];
  const operator = await network.join("Operator", [Role.OPERATOR]);
  merchant = await network.join("Merchant", [Role.MERCHANT]);
  const sites = [1.301, 1.302].map((latitude) => makeSite({ latitude, longitude: 103.8, ref: `site-${latitude}` }));
  const { results } = await operator.client.directory.upsertSites({ requestId: randomUUID(), sites });
  siteIds = results.map(({ siteId }) => siteId);
});

afterEach(() => network.stop());

describe("A page", () => {
  for (const protocol of ["connect", "connect-json"] as const) {
    it(`finds the nearest sites by a publishable key of its origin, over ${protocol}`, async () => {
      const page = await browser.open(shop.origin);
      const call = [{ baseUrl: network.baseUrl, protocol }, await publishableKeyFor(shop.origin)] as const;
      expect(await page.evaluate(([gateway, key]) => globalThis.testPage.searchByKey(gateway, key), call)).toEqual({ siteIds });
    });
  }

  it("checks a request by the schema's rules before it sends it", async () => {
    const page = await browser.open(shop.origin);
    const request = (json: object) => page.evaluate((text) => globalThis.testPage.brokenRules(text), JSON.stringify(json));
    const parcel = { widthMm: 300, heightMm: 100, depthMm: 400, massG: 1000 };
    expect(await request({ origin: { latitude: 1.3, longitude: 103.8 }, parcel })).toEqual([]);
    const open = { openWithin: { from: "2026-11-24T12:00:00Z", to: "2026-11-24T11:00:00Z" } };
    const wrong = { origin: { latitude: 91, longitude: 103.8 }, parcel, requirements: open };
    expect(await request(wrong)).toEqual(brokenRules(wrong));
    expect(brokenRules(wrong).length).toBeGreaterThan(1);
  });

  it("of another origin is refused, and can read why", async () => {
    const page = await browser.open(stranger.origin);
    const call = [{ baseUrl: network.baseUrl }, await publishableKeyFor(shop.origin)] as const;
    expect(await page.evaluate(([gateway, key]) => globalThis.testPage.searchByKey(gateway, key), call)).toEqual({
      reason: "ORIGIN_NOT_ALLOWED",
      message: expect.stringContaining(stranger.origin),
    });
    await browser.expectComplaints(/^error: Failed to load resource: the server responded with a status of 403/);
  });

  it("calls no gateway that its policy does not name", async () => {
    shop.allowedOrigins = [];
    const page = await browser.open(shop.origin);
    const call = [{ baseUrl: network.baseUrl, retry: false }, await publishableKeyFor(shop.origin)] as const;
    const found = await page.evaluate(([gateway, key]) => globalThis.testPage.searchByKey(gateway, key), call);
    expect(found).toMatchObject({ message: expect.stringContaining("could not be reached") });
    await browser.expectComplaints(/^error: Content Security Policy blocked .* by connect-src$/, /Content Security Policy/);
  });

  it("signs a participant's calls with a key that cannot leave it", async () => {
    const page = await browser.open(shop.origin);
    const publicKey = decodeBase64url(await page.evaluate(() => globalThis.testPage.publicKeyOfPage()));
    const { participantId } = merchant;
    const { key } = await network.admin.client.participants.registerKey({
      requestId: randomUUID(),
      participantId,
      publicKey,
      mode: Mode.TEST,
    });
    const call = [{ baseUrl: network.baseUrl }, { participantId, keyId: key?.keyId ?? "", audience: testAudience }] as const;
    expect(await page.evaluate(([gateway, signing]) => globalThis.testPage.searchSigned(gateway, signing), call)).toEqual({ siteIds });
  });
});

async function publishableKeyFor(origin: string): Promise<string> {
  const { publishableKey } = await merchant.client.participants.createPublishableKey({
    requestId: randomUUID(),
    mode: Mode.TEST,
    origins: [origin],
  });
  return publishableKey?.publishableKey ?? "";
}
