import { testSeed } from "@petak/testkit";
import { describe, expect, it } from "vitest";
import type { Report } from "../report.ts";
import { reportOfCityDay } from "../testing/report-of-city-day.ts";
import { renderReport } from "./render-report.ts";
import { differences, printedFigures, strayNumbers } from "./testing/printed-figures.ts";
import { useReportBrowser } from "./testing/report-browser.ts";

const browser = useReportBrowser();

/** Numbers that are words: names of percentiles, limits and units that the text states. */
const words = [/^p\d+(\.\d+)?$/, /within (250|500) m/, /H3 cell/, /0\.74 km²/, /99 in 100/, /^H3/, /3 to 40 %.*0 to 50 %/];

describe("A report as HTML", () => {
  it("prints each number as the JSON has it, and no other, in every hour of its map, and asks for nothing", async () => {
    const report = reportOfCityDay({ seed: testSeed(), population: 60_000, sites: 40, places: 12 });
    const json: unknown = JSON.parse(JSON.stringify(report));
    const page = await browser.open(renderReport(report));
    const printed = await printedFigures(page);
    expect(printed.length).toBeGreaterThan(500);
    expect(differences(json, printed)).toEqual([]);
    const stray = await strayNumbers(page);
    expect(stray.filter((text) => !words.some((word) => word.test(text)))).toEqual([]);

    const slider = page.getByRole("slider", { name: "Hour" });
    await slider.focus();
    await page.keyboard.press("Home");
    const hours = new Set<string>();
    for (let hour = 0; hour < 12; hour++) {
      await page.keyboard.press("ArrowRight");
      hours.add((await page.locator("#hour").textContent()) ?? "");
      const inPanel = await printedFigures(page, ".panel");
      expect(inPanel.length).toBeGreaterThan(10);
      expect(differences(json, inPanel)).toEqual([]);
    }
    expect(hours.size).toBe(12);
    await page.locator("#cells path").nth(3).hover({ force: true });
    expect(await page.locator("#cell").textContent()).toMatch(/Wanted a place here in this hour/);
  });

  it("shows a stranger's text as text", async () => {
    const hostile = `</script><img src=x onerror="alert(1)">&amp;`;
    const drawn = reportOfCityDay({ seed: testSeed(), population: 20_000, sites: 6, nameOf: () => hostile });
    const outcome = { count: 1, intentions: [1], operations: { find: 1 } };
    const violation = { rule: hostile, at: "2026-11-09T08:00", text: hostile, intentions: [1], evidence: [hostile] };
    const report: Report = {
      ...drawn,
      run: {
        ...drawn.run,
        city: hostile,
        gateway: hostile,
        remarks: [hostile],
        invalidReasons: [hostile],
        parameters: { [hostile]: hostile },
      },
      load: { ...drawn.load, outcomes: { [hostile]: outcome, "a.b%2E": outcome } },
      endReasons: [{ reason: hostile, count: 1, ends: { failed: 1 }, intentions: [1] }],
      violations: { count: 1, byRule: [{ rule: hostile, count: 1 }], first: [violation] },
    };
    const page = await browser.open(renderReport(report));
    expect(await page.locator("img").count()).toBe(0);
    expect(await page.locator("h1").textContent()).toBe(hostile);
    expect(await page.locator("#fullest bdi").first().textContent()).toBe(hostile);
    expect(differences(JSON.parse(JSON.stringify(report)), await printedFigures(page))).toEqual([]);
  });

  it("can be made of a run in which nobody asked, without a site and without a call", () => {
    const empty = reportOfCityDay({ seed: 1, population: 1, sites: 0 }, () => []);
    expect(renderReport(empty)).toMatch(/0<\/data> times somebody asked/);
  });
});
