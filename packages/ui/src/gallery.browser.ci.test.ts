import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { findChromium } from "@petak/testkit/find-chromium";
import type { AxeResults } from "axe-core";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { expect, onTestFinished, test } from "vitest";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const picturesDir = process.env.PETAK_PICTURES_DIR;

/** The page of all parts, with its style sheet and its script. */
async function bundlePage(): Promise<{ style: string; script: string }> {
  const contents = `import { render } from "lit"; import { gallery } from "./gallery.ts"; import "./ui.css"; render(gallery(), document.body);`;
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: import.meta.dirname, loader: "ts" },
    outdir: "out",
    bundle: true,
    write: false,
    format: "esm",
    logLevel: "silent",
  });
  const textOf = (end: string): string => outputFiles.find(({ path }) => path.endsWith(end))?.text ?? "";
  return { style: textOf(".css"), script: textOf(".js") };
}

test.each(["light", "dark"] as const)(
  "axe finds nothing on the page of all parts, %s, and none is wider than a phone of 320 px",
  async (colorScheme) => {
    const { path } = await findChromium();
    // Chromium's sandbox does not start as root.
    const browser = await chromium.launch({ executablePath: path, chromiumSandbox: process.geteuid?.() !== 0, args: ["--disable-gpu"] });
    onTestFinished(() => browser.close());
    const page = await browser.newPage({ colorScheme, viewport: { width: 320, height: 900 } });
    // A machine with much else to do takes many times as long.
    page.setDefaultTimeout(120_000);
    const { style, script } = await bundlePage();
    await page.setContent(`<!doctype html><html lang="en"><head><title>Parts</title></head><body></body></html>`);
    await page.addStyleTag({ content: style });
    await page.addScriptTag({ content: script, type: "module" });
    await page.locator("main").waitFor();
    await page.evaluate(axe);
    const { violations } = await page.evaluate<AxeResults>(
      `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] })`,
    );
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`)).toEqual([]);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
    if (picturesDir !== undefined) await page.screenshot({ path: join(picturesDir, `parts-${colorScheme}.png`), fullPage: true });
  },
);
