import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { findChromium } from "@petak/testkit/find-chromium";
import type { AxeResults } from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** How long to wait for what a page should show, in ms: a machine with much else to do takes many times as long. */
const patienceMs = 120_000;

/** How somebody looks at the app. */
export interface Look {
  readonly width: number;
  readonly height: number;
  readonly scheme?: "light" | "dark";
  /** BCP 47. Default English. */
  readonly language?: string;
}

export const phone: Look = { width: 390, height: 844 };
export const smallPhone: Look = { width: 320, height: 640 };
export const tablet: Look = { width: 1180, height: 820 };

/** Runs in each page before its own script: what the policy blocks is a complaint. */
const showBlocked = `addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) =>
  console.error("Content Security Policy blocked " + blockedURI + " by " + effectiveDirective))`;

/** A browser shared by the tests of a file. */
export interface AppBrowser {
  /** Opens an address of the app in a profile of its own. */
  open(url: string, look?: Look): Promise<Page>;
  /** Ends the process of a page, as a tablet without memory does: nothing of the page runs any more, not even its end. */
  kill(page: Page): Promise<void>;
  /** Opens an address in the profile of a page that has ended. Default: where it was. */
  openAgain(page: Page, url?: string): Promise<Page>;
  /** Complaints of pages that match do not fail the test. */
  allowComplaints(pattern: RegExp): void;
}

/** Starts a Chromium for the tests of a file. A test fails if its pages complain of anything that it does not allow. @param switches of Chromium */
export function useAppBrowser(switches: () => readonly string[] | Promise<readonly string[]> = () => []): AppBrowser {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];
  const allowed: RegExp[] = [];

  beforeAll(async () => {
    const { path } = await findChromium();
    // Chromium's sandbox does not start as root.
    const chromiumSandbox = process.geteuid?.() !== 0;
    browser = await chromium.launch({ executablePath: path, chromiumSandbox, args: ["--disable-gpu", ...(await switches())] });
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    const patterns = allowed.splice(0);
    expect(complaints.splice(0).filter((line) => !patterns.some((pattern) => pattern.test(line)))).toEqual([]);
  });

  async function newPage(context: BrowserContext, url: string): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) complaints.push(`${message.type()}: ${message.text()}`);
    });
    await page.goto(url, { waitUntil: "load" });
    return page;
  }

  return {
    async open(url, { width, height, scheme = "light", language = "en" } = phone) {
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, permissions: ["camera"] });
      contexts.push(context);
      context.setDefaultTimeout(patienceMs);
      await context.addInitScript({ content: showBlocked });
      await context.addInitScript((tag) => localStorage.setItem("petak-language", tag), language);
      return await newPage(context, url);
    },
    async kill(page) {
      const crashed = page.waitForEvent("crash");
      const devTools = await page.context().newCDPSession(page);
      // It has no answer: the process that would give one ends.
      devTools.send("Page.crash").catch(() => undefined);
      await crashed;
      await page.close();
    },
    openAgain: (page, url = page.url()) => newPage(page.context(), url),
    allowComplaints: (pattern) => void allowed.push(pattern),
  };
}

/** Counts what is tapped or pressed on a page from now on. */
export async function countTaps(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(() => {
    addEventListener("click", () => document.documentElement.setAttribute("data-taps", String(tapped() + 1)), { capture: true });
    function tapped(): number {
      return Number(document.documentElement.getAttribute("data-taps"));
    }
  });
  return async () => Number(await page.locator("html").getAttribute("data-taps"));
}

/** What axe finds on a page against WCAG 2.2 AA, and how many px of it lie beyond the screen or are cut off. */
export async function findFaults(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<AxeResults>(
    `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
  );
  const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  return [...found, ...(await findCutOff(page))];
}

/** What is wider than the screen or than its box, and targets that are smaller than 44 px. */
export async function findCutOff(page: Page): Promise<readonly string[]> {
  return await page.evaluate(() => {
    const faults: string[] = [];
    const beyond = document.documentElement.scrollWidth - innerWidth;
    if (beyond > 0) faults.push(`${beyond} px beyond the screen`);
    for (const element of document.querySelectorAll<HTMLElement>("body *:not(svg *)")) {
      const { width, height } = element.getBoundingClientRect();
      if (width === 0 || element.closest(".for-readers") !== null) continue;
      const name = `${element.tagName} ${element.textContent?.trim().slice(0, 40)}`;
      if (element.tagName !== "INPUT" && element.clientWidth > 0 && element.scrollWidth > element.clientWidth + 1)
        faults.push(`cut off: ${name}`);
      const isTarget = element.matches("button, a.button, .bar a, select, input") && !element.matches("p a");
      if (isTarget && (height < 55.5 || width < 44)) faults.push(`small: ${name} ${width}×${height}`);
    }
    return faults;
  });
}
