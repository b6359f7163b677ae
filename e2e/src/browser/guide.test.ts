import { join } from "node:path";
import { useRedis } from "@petak/testkit";
import { testAudience } from "@petak/testkit/network";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readCodeBlocks } from "../examples/code-blocks.ts";
import { repositoryDir } from "../examples/courier-examples.ts";
import { startPageServer } from "./page-server.ts";
import { type SearchNetwork, startSearchNetwork } from "./search-network.ts";
import { useBrowser } from "./use-browser.ts";

/** The guide's scripts, as functions of the page. */
interface Guide {
  nearestSites(latitude: number, longitude: number): Promise<{ siteId: string; name: string; distanceM: number }[]>;
  /** How a new key that the page keeps is registered. The public key is a list of numbers, because Playwright's results cannot hold bytes. */
  registration(): Promise<{ requestId: string; publicKey: number[]; possessionProof: string }>;
  /** The reference of the merchant's first site, from a request that the page signs. */
  nameSigned(participantId: string, keyId: string, siteId: string): Promise<string>;
}

declare global {
  /** Set in the browser only. */
  var guide: Guide;
}

const redis = useRedis();
const browser = useBrowser();
let search: SearchNetwork;

beforeEach(async () => {
  search = await startSearchNetwork(redis);
});

afterEach(() => search.network.stop());

/** The guide's only script that contains a word, with a reader's values filled in and a timeout for machines under load. */
async function scriptWith(word: string, publishableKey = ""): Promise<string> {
  const blocks = await readCodeBlocks(join(repositoryDir, "docs/guides/browser.md"));
  const scripts = blocks.filter(({ language, code }) => language === "ts" && code.includes(word)).map(({ code }) => code);
  expect(scripts).toHaveLength(1);
  const [script = ""] = scripts;
  return script
    .replaceAll('baseUrl: "https://gateway.example"', `baseUrl: ${JSON.stringify(search.network.baseUrl)}, timeoutMs: 60_000`)
    .replaceAll('"gateway.example"', JSON.stringify(testAudience))
    .replaceAll("pk_live_…", publishableKey);
}

describe("The guide for web pages", () => {
  it("finds the nearest sites from the origin of its key, and says why it fails from another origin", async () => {
    let script = "";
    await using shop = await startPageServer(async (origin) => {
      script = `${await scriptWith("nearestSites", await search.publishableKeyFor(origin))}\nglobalThis.guide = { nearestSites };`;
      return script;
    });
    await using stranger = await startPageServer(async () => script);
    shop.allowedOrigins = [search.network.baseUrl];
    stranger.allowedOrigins = [search.network.baseUrl];
    const page = await browser.open(shop.origin);
    const found = await page.evaluate(() => globalThis.guide.nearestSites(1.3, 103.8));
    expect(found.map(({ siteId }) => siteId)).toEqual(search.siteIds);
    expect(found.every(({ name, distanceM }) => name !== "" && distanceM > 0)).toBe(true);

    const strangersPage = await browser.open(stranger.origin);
    const refused = strangersPage.evaluate(() => globalThis.guide.nearestSites(1.3, 103.8));
    await expect(refused).rejects.toThrow("no sites: ORIGIN_NOT_ALLOWED");
    await browser.expectComplaints(/^error: Failed to load resource: the server responded with a status of 403/);
  });

  it("signs a participant's calls with a key that cannot be exported", async () => {
    await using server = await startPageServer(
      async () => `${await scriptWith("makeKey")}
        const { privateKey, registration } = await makeKey(${JSON.stringify(search.participantId)});
        globalThis.guide = {
          registration: async () => ({ ...registration, publicKey: [...registration.publicKey] }),
          nameSigned: async (participantId, keyId, siteId) => {
            const { site } = await connectAs(participantId, keyId, privateKey).directory.getSite({ siteId });
            return site.operatorSiteRef;
          },
        };`,
    );
    server.allowedOrigins = [search.network.baseUrl];
    const page = await browser.open(server.origin);
    const registration = await page.evaluate(() => globalThis.guide.registration());
    const { keyId } = await search.registerKey({ ...registration, publicKey: Uint8Array.from(registration.publicKey) });
    const call = [search.participantId, keyId, search.siteIds[0] ?? ""] as const;
    expect(await page.evaluate((args) => globalThis.guide.nameSigned(...args), call)).toBe("site-1.301");
  });
});
