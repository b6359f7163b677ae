import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { Mode, Role, SiteLifecycle } from "@petak/protocol";
import { createFrozenClock, makeSite, useRedis } from "@petak/testkit";
import { findChromium } from "@petak/testkit/find-chromium";
import { startTestNetwork, type TestNetwork } from "@petak/testkit/network";
import type { AxeResults } from "axe-core";
import { type Browser, chromium } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";

const redis = useRedis();
const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const picturesDir = process.env.PETAK_PICTURES_DIR;
let network: TestNetwork;
let browser: Browser;

beforeAll(async () => {
  const { path } = await findChromium();
  // Chromium's sandbox does not start as root.
  browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: ["--disable-gpu"] });
  network = await startTestNetwork({
    redis,
    // The directory's files, and with them the front page, are made once.
    now: createFrozenClock(Date.now()).now,
    openDirectoryLicence: "CC-BY-4.0",
  });
  const operator = await network.withMode(await network.join("Rimba <b>Lockers</b>", [Role.OPERATOR]), Mode.LIVE);
  await network.putSites(
    operator,
    makeSite({ latitude: 1.3, longitude: 103.8, ref: "a", isTest: false }),
    makeSite({ latitude: 13.7, longitude: 100.5, ref: "b", isTest: false }, { lifecycle: SiteLifecycle.MAINTENANCE }),
  );
});
afterAll(async () => {
  await browser.close();
  await network.stop();
});

const pages = [
  { path: "/", name: "front", heading: "Petak gateway" },
  { path: "/reference", name: "reference", heading: "Reference of the calls" },
];
const looks = [
  { colorScheme: "light", width: 1280 },
  { colorScheme: "dark", width: 360 },
] as const;

it.each(pages.flatMap((page) => looks.map((look) => ({ ...page, ...look }))))(
  "$path is read in $colorScheme at $width px: axe finds nothing, nothing is cut off, and nothing comes from elsewhere",
  async ({ path, name, heading, colorScheme, width }) => {
    const context = await browser.newContext({ colorScheme, viewport: { width, height: 900 }, bypassCSP: true });
    const page = await context.newPage();
    page.setDefaultTimeout(120_000);
    const asked: string[] = [];
    page.on("request", (request) => void asked.push(request.url()));
    const response = await page.goto(`${network.baseUrl}${path}`);
    expect(response?.headers()["content-security-policy"]).toMatch(/^default-src 'none'; style-src 'self';/);
    expect(await page.locator("h1").textContent()).toBe(heading);
    expect(asked.filter((url) => !url.startsWith(network.baseUrl))).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width);
    if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `gateway-${name}-${colorScheme}.png`) });
    // The rest is alike, and takes axe a minute.
    await page.evaluate(() => {
      for (const section of document.querySelectorAll("main > section:nth-of-type(n + 12), main > section > section:nth-of-type(n + 4)"))
        section.remove();
    });
    await page.evaluate(axe);
    const { violations } = await page.evaluate<AxeResults>(
      `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`,
    );
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([]);
    await context.close();
  },
);

it.each(looks)("at $width px the reference shows its list of calls beside it, or at a press where there is no room", async ({ width }) => {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  await page.goto(`${network.baseUrl}/reference`);
  const call = page.getByRole("navigation", { name: "Calls" }).getByRole("link", { name: "FindNearest" });
  const isNarrow = width < 900;
  expect([await call.isVisible(), await page.getByText("All calls").isVisible()]).toEqual([!isNarrow, isNarrow]);
  if (isNarrow) await page.getByText("All calls").click();
  await call.click();
  expect(new URL(page.url()).hash).toBe("#DirectoryService-FindNearest");
  await page.close();
});

it("the front page tells browsers the network in numbers, and programs what they were told before", async () => {
  const shown = await (await fetch(network.baseUrl, { headers: { accept: "text/html" } })).text();
  expect(shown).toContain("<strong>2</strong>parcel terminals");
  expect(shown).toContain('<a href="/feed/v1/manifest.json">');
  expect(await (await fetch(network.baseUrl)).text()).toMatch(/^This is a Petak gateway/);
});

it("the front page has a map, made once while what it shows is the same, and not sent again to whoever has it", async () => {
  const open = (headers: object = {}) => fetch(network.baseUrl, { headers: { accept: "text/html", ...headers } });
  const first = await open();
  const etag = first.headers.get("etag") ?? "";
  expect([first.headers.get("cache-control"), first.headers.get("vary")]).toEqual(["no-cache", "Accept, Accept-Encoding"]);
  const shown = await first.text();
  expect(shown).toContain('<path class="land"');
  expect(shown).toContain("<title>1 site, 4 places free</title>");
  expect(shown).toContain("<title>1 site, free places not known</title>");
  expect(shown).not.toContain("<script");
  const again = await open({ "if-none-match": etag });
  expect([again.status, await again.text()]).toEqual([304, ""]);
});

it("the reference has each link's aim, no script, and a bounded size", async () => {
  const text = await (await fetch(`${network.baseUrl}/reference`)).text();
  const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
  for (const [, aim] of text.matchAll(/href="#([^"]+)"/g)) expect(ids).toContain(aim);
  expect(text).not.toContain("<script");
  expect(text.length).toBeLessThan(1_000_000);
});
