import { findChromium } from "@petak/testkit/find-chromium";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

/** Disabled features: the browser's own network use, and what fails on a machine without screen and graphics. */
const switches = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long to wait for what a page should do, in ms: a machine with much else to do takes many times as long. */
const patienceMs = 120_000;

/** Runs in each page before its own script and reports what the policy blocks, even if the page's code handles it. */
const showBlocked = `addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) =>
  console.error("Content Security Policy blocked " + blockedURI + " by " + effectiveDirective))`;

/** A browser shared by the tests of a file. Each test has its own pages. */
export interface TestBrowser {
  /** Opens the page of an origin, and waits until its script has run. */
  open(origin: string): Promise<Page>;
  /**
   * Waits until the pages have complained of each of these: console errors and warnings, uncaught errors and requests blocked by the
   * policy, each as a line. Complaints that match a pattern do not fail the test.
   */
  expectComplaints(...patterns: RegExp[]): Promise<void>;
}

/**
 * Starts a Chromium with a new profile for the tests of a file, and stops it after them. A test fails if its pages complain of anything.
 */
export function useBrowser(): TestBrowser {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const expected: RegExp[] = [];

  beforeAll(async () => {
    const { path } = await findChromium();
    // Chromium's sandbox does not start as root.
    browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: switches });
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const allowed = expected.splice(0);
    expect(complaints.splice(0).filter((line) => !allowed.some((pattern) => pattern.test(line)))).toEqual([]);
  });

  return {
    async open(origin) {
      const context = await browser.newContext();
      contexts.push(context);
      context.setDefaultTimeout(patienceMs);
      await context.addInitScript({ content: showBlocked });
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
      page.on("console", (message) => {
        if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
      });
      await page.goto(origin, { waitUntil: "load" });
      return page;
    },
    async expectComplaints(...patterns) {
      // A page may complain after it has returned a result.
      await expect.poll(() => patterns.filter((pattern) => !complaints.some((line) => pattern.test(line)))).toEqual([]);
      expected.push(...patterns);
    },
  };
}
