import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { tempDir } from "@petak/testkit";
import { findChromium } from "@petak/testkit/find-chromium";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect } from "vitest";

/** How somebody looks at a report. */
export interface View {
  readonly width: number;
  readonly height: number;
  readonly scheme: "light" | "dark";
}

export const desktop: View = { width: 1280, height: 900, scheme: "light" };
export const phone: View = { width: 375, height: 700, scheme: "light" };

/** Runs in each page before its own script: what the policy blocks is a complaint. */
const showBlocked = `addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) =>
  console.error("Content Security Policy blocked " + blockedURI + " by " + effectiveDirective))`;

/** A browser without a network, shared by the tests of a file. A test fails if its pages complain of anything or ask for anything. */
export function useReportBrowser(): { open(html: string, view?: View): Promise<Page> } {
  let browser: Browser;
  const contexts: BrowserContext[] = [];
  const complaints: string[] = [];

  beforeAll(async () => {
    const { path } = await findChromium();
    // Chromium's sandbox does not start as root.
    browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: ["--disable-gpu"] });
  });

  afterAll(() => browser.close());

  afterEach(async () => {
    await Promise.all(contexts.splice(0).map((context) => context.close()));
    expect(complaints.splice(0)).toEqual([]);
  });

  return {
    async open(html, { width, height, scheme } = desktop) {
      const url = pathToFileURL(join(await tempDir(), "report.html")).href;
      await writeFile(new URL(url), html);
      const context = await browser.newContext({ viewport: { width, height }, colorScheme: scheme, offline: true });
      contexts.push(context);
      await context.addInitScript({ content: showBlocked });
      const page = await context.newPage();
      page.on("pageerror", (error) => complaints.push(`uncaught: ${error.message}`));
      page.on("console", (message) => complaints.push(`${message.type()}: ${message.text()}`));
      page.on("dialog", (dialog) => complaints.push(`dialog: ${dialog.message()}`));
      page.on("request", (request) => {
        if (request.url() !== url && !request.url().startsWith("data:")) complaints.push(`request: ${request.url()}`);
      });
      await page.goto(url, { waitUntil: "load" });
      return page;
    },
  };
}
