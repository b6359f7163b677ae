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

/** A browser shared by the tests of a file. */
export interface PickerBrowser {
  /** Opens a page in a profile of its own. */
  open(url: string, options?: BrowserContextOptions): Promise<Page>;
  /** Complaints that match do not fail the test. */
  allowComplaints(pattern: RegExp): void;
}

/** Starts a Chromium for the tests of a file. A test fails if a page complains, or asks for anything from an origin that is not allowed. */
export function usePickerBrowser(isAllowed: (origin: string) => boolean): PickerBrowser {
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
      page.on("dialog", async (dialog) => {
        complaints.push(`dialog: ${dialog.message()}`);
        await dialog.dismiss();
      });
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
    allowComplaints: (pattern) => void allowed.push(pattern),
  };
}

/** What axe finds of the picker against WCAG 2.2 AA, and what of it is cut off or too small to hit. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  return [...(await findByAxe(page, `"petak-picker"`)), ...(await findCutOff(page))];
}

/**
 * What axe finds against WCAG 2.2 AA.
 *
 * @param context the expression of axe's context, of what it looks at
 * @param preload whether axe reads the style sheets, for which some policies have no room
 */
export async function findByAxe(page: Page, context: string, preload = true): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run(${context}, { preload: ${preload}, runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`,
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) => `${html} ${failureSummary}`).join(" ")}`);
}

/** What is wider than the screen, what has no room in its box, and targets that are lower than 40 px. */
export async function findCutOff(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() => {
    const faults: string[] = [];
    const beyond = document.documentElement.scrollWidth - innerWidth;
    if (beyond > 0) faults.push(`${beyond} px beyond the screen`);
    const root = document.querySelector("petak-picker")?.shadowRoot;
    for (const element of root?.querySelectorAll<HTMLElement>("*:not(svg *)") ?? []) {
      const { width, height } = element.getBoundingClientRect();
      if (width === 0 || element.closest(".for-readers, .map") !== null) continue;
      const name = `${element.tagName} ${element.textContent?.trim().slice(0, 40)}`;
      const isClipped = element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1;
      const isHiding = ["hidden", "clip"].includes(getComputedStyle(element).overflowY);
      const isTooLow = isHiding && element.scrollHeight > element.clientHeight + 1;
      if (element.tagName !== "INPUT" && (isClipped || isTooLow)) faults.push(`cut off: ${name}`);
      if (element.matches("button, summary, label.place") && (height < 39.5 || width < 44))
        faults.push(`small: ${name} ${width}×${height}`);
    }
    return faults;
  });
}
