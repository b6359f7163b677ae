import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { findChromium } from "@petak/testkit/find-chromium";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long to wait for what a page should show, in ms: a machine with much else to do takes many times as long. */
const patienceMs = 120_000;

/** Runs in each page before its own script: what the policy blocks is a complaint. */
const showBlocked = `addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) =>
  console.error("Content Security Policy blocked " + blockedURI + " by " + effectiveDirective))`;

/** Somebody who buys things with a Chromium. */
export interface Shopper {
  /** Opens a page in a profile of its own. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
  /** A complaint that matches does not fail the test. */
  allowComplaint(pattern: RegExp): void;
}

/** Starts a Chromium for the tests of a file. A test fails if a page complains, or asks for anything from an origin that is not allowed. */
export function useShopper(isAllowed: (origin: string) => boolean): Shopper {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const allowed: RegExp[] = [];

  beforeAll(async () => {
    const { path } = await findChromium();
    // Chromium's sandbox does not start as root.
    browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: ["--disable-gpu"] });
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const patterns = allowed.splice(0);
    expect(complaints.splice(0).filter((line) => !patterns.some((pattern) => pattern.test(line)))).toEqual([]);
  });

  return {
    async open(url, options = {}) {
      const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en", ...options });
      contexts.push(context);
      context.setDefaultTimeout(patienceMs);
      await context.addInitScript({ content: showBlocked });
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
      page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
      });
      page.on("request", (request) => {
        const { origin } = new URL(request.url());
        if (!isAllowed(origin)) complaints.push(`a request went to ${origin}`);
      });
      await page.goto(url, { waitUntil: "load" });
      return page;
    },
    allowComplaint: (pattern) => void allowed.push(pattern),
  };
}

/** What axe finds on a page against WCAG 2.2 AA, past the policy (`bypassCSP`), since it adds styles of its own; and what is wider than the screen or too small to hit. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ preload: false, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`,
  );
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" ")}`,
  );
  const cut = await page.evaluate(() => {
    const beyond = document.documentElement.scrollWidth - innerWidth;
    const faults = beyond > 0 ? [`${beyond} px beyond the screen`] : [];
    for (const element of document.querySelectorAll<HTMLElement>(".button, select, input:not([type=hidden]):not([type=radio])")) {
      const { width, height } = element.getBoundingClientRect();
      if (width > 0 && height < 47.5) faults.push(`small: ${element.tagName} ${element.textContent?.trim()} ${width}×${height}`);
    }
    return faults;
  });
  return [...found, ...cut];
}
