import { join } from "node:path";
import { bundleStoreApp, writeStoreApp } from "@petak/store-app/bundle";
import { tempDir } from "@petak/testkit";
import { findChromium } from "@petak/testkit/find-chromium";
import { chromium, type Page } from "playwright-core";
import { onTestFinished } from "vitest";
import { type CounterServer, startCounterServer } from "../../src/counter/index.ts";
import type { TestStore } from "../store.ts";

const logger = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** A store's counter with its app, which can go away and come back at the same address. */
export async function openCounter({ counter }: TestStore) {
  const appFolder = join(await tempDir(), "store-app");
  await writeStoreApp(appFolder, await bundleStoreApp());
  let server: CounterServer = await startCounterServer({ counter, appFolder, logger, host: "127.0.0.1", port: 0 });
  onTestFinished(() => server.stop());
  const { url } = server;
  return {
    url,
    goAway: () => server.stop(),
    async comeBack() {
      server = await startCounterServer({ counter, appFolder, logger, host: "127.0.0.1", port: Number(new URL(url).port) });
    },
  };
}

/** A tablet of its own on which nobody is signed in. */
export async function openPage(url: string): Promise<Page> {
  const { path } = await findChromium();
  // Chromium's sandbox does not start as root.
  const browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: ["--disable-gpu"] });
  onTestFinished(() => browser.close());
  const context = await browser.newContext({ viewport: { width: 390, height: 844 }, locale: "en" });
  context.setDefaultTimeout(120_000);
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

/** Sends a code as a scanner that types does, at its pace however slow this machine is. */
export async function scan(page: Page, code: string): Promise<void> {
  await page.evaluate(`for (const [index, key] of [...${JSON.stringify(code)}, "Enter"].entries()) {
    const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
    Object.defineProperty(event, "timeStamp", { value: performance.timeOrigin + index });
    document.activeElement.dispatchEvent(event);
  }`);
}

/** Waits until a page shows exactly these words somewhere. */
export const shows = (page: Page, words: string) => page.getByText(words, { exact: true }).first().waitFor();

/** Signs the only clerk in. */
export async function signIn(page: Page, name: string, pin: string): Promise<void> {
  await page.getByText(name).click();
  await page.getByLabel(`${name}, your PIN`).fill(pin);
  await page.getByLabel(`${name}, your PIN`).press("Enter");
  await shows(page, "Hand over");
}
