import { findChromium } from "@petak/testkit/find-chromium";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

/** Switched off: what a browser does by itself on the network, and what a machine without screen and graphics cannot do. */
const switches = [
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** How long a page may take to complain, in ms: as long as a test may, nearly, since a machine under load is slow. */
const patienceMs = 25_000;

/** Runs in each page before its own script: what the policy blocks is shown, also where the page's code expects it. */
const showBlocked = `addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) =>
  console.error("Content Security Policy blocked " + blockedURI + " by " + effectiveDirective))`;

/** A browser that the tests of a file share. Each test has pages of its own. */
export interface TestBrowser {
  /** Opens the page of an origin, and waits until its script has run. */
  open(origin: string): Promise<Page>;
  /**
   * Waits until the pages have complained of each of these: errors and warnings on the console, uncaught errors, and what the policy blocked, each as a line.
   * Complaints that match one are not counted against the test.
   */
  expectComplaints(...patterns: RegExp[]): Promise<void>;
}

/**
 * Starts a Chromium for the tests of a file, with a new profile, and ends it behind them. A test fails where its pages complain of anything.
 */
export function useBrowser(): TestBrowser {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const expected: RegExp[] = [];

  beforeAll(async () => {
    const { path } = await findChromium();
    // The sandbox does not start as root.
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
      // Pages complain when they come to it, which may be after they have answered.
      await expect
        .poll(() => patterns.filter((pattern) => !complaints.some((line) => pattern.test(line))), { timeout: patienceMs })
        .toEqual([]);
      expected.push(...patterns);
    },
  };
}
