import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { testSeed } from "@petak/testkit";
import type { AxeResults } from "axe-core";
import { describe, expect, it } from "vitest";
import { compareReports } from "../compare-reports.ts";
import { reportOfCityDay } from "../testing/report-of-city-day.ts";
import { renderComparison } from "./render-comparison.ts";
import { renderReport } from "./render-report.ts";
import { differences, printedFigures, strayNumbers } from "./testing/printed-figures.ts";
import { desktop, phone, useReportBrowser } from "./testing/report-browser.ts";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const browser = useReportBrowser();
const report = reportOfCityDay({ seed: testSeed(), population: 15_000, sites: 12, places: 12 });
const comparison = compareReports(
  { name: "A.run", report },
  { name: "</script><b>", report: reportOfCityDay({ seed: 2, population: 10_000, sites: 9 }) },
);
const pages = { "a report": renderReport(report), "a comparison": renderComparison(comparison) };
const views = [desktop, phone].flatMap((view) => (["light", "dark"] as const).map((scheme) => ({ ...view, scheme })));
const looks = (["a report", "a comparison"] as const).flatMap((what) => views.map((view) => ({ what, ...view })));

describe("As HTML", () => {
  it.each(looks)(
    "$what has nothing that axe finds against WCAG 2.2 AA, and no width beyond the screen, at $width px, $scheme",
    async ({ what, ...view }) => {
      const page = await browser.open(pages[what], view);
      await page.evaluate(() => {
        for (const details of document.querySelectorAll("details")) details.open = true;
      });
      await page.evaluate(axe);
      const { violations } = await page.evaluate<AxeResults>(
        `axe.run({ runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] })`,
      );
      expect(violations.map(({ id, nodes }) => [id, nodes.map(({ html, failureSummary }) => `${html}: ${failureSummary}`)])).toEqual([]);
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(view.width);
    },
  );

  it("a comparison prints each number as its JSON has it, and no other", async () => {
    const page = await browser.open(renderComparison(comparison));
    const printed = await printedFigures(page);
    expect(printed.length).toBeGreaterThan(100);
    expect(differences(JSON.parse(JSON.stringify(comparison)), printed)).toEqual([]);
    const words = [/^p\d+$/, /within \d+ m/, /less than 5 %/];
    expect((await strayNumbers(page)).filter((text) => !words.some((word) => word.test(text)))).toEqual([]);
  });

  it("a report prints all hours as small maps in place of the slider, and no control", async () => {
    const page = await browser.open(pages["a report"]);
    await page.emulateMedia({ media: "print" });
    expect(await page.locator(".hours figure:visible").count()).toBeGreaterThan(24);
    expect(await page.locator(".hours svg:not(:has(path))").count()).toBe(0);
    expect(await page.locator("button:visible, input:visible, nav:visible").count()).toBe(0);
    expect((await page.pdf({ format: "A4" })).length).toBeGreaterThan(10_000);
  });

  it("a report plays through the hours and stops at the last one", async () => {
    const page = await browser.open(pages["a report"]);
    const slider = page.getByRole("slider", { name: "Hour" });
    await slider.focus();
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowLeft");
    await page.getByRole("button", { name: "Play" }).click();
    await page.getByRole("button", { name: "Play", pressed: false }).waitFor();
    expect(await slider.inputValue()).toBe(await slider.getAttribute("max"));
  });

  it("a report of a day of a large city is below 1 MB", () => {
    const large = reportOfCityDay({ seed: testSeed(), population: 1_500_000, sites: 800, places: 30 });
    expect(renderReport(large).length).toBeLessThan(1_000_000);
  });
});
