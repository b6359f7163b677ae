import { describe, expect, it } from "vitest";
import { compareReports } from "./compare-reports.ts";
import { renderComparison } from "./html/render-comparison.ts";
import type { Report } from "./report.ts";
import { reportOfCityDay } from "./testing/report-of-city-day.ts";

const base = reportOfCityDay({ seed: 3, population: 5000, sites: 5 });

/** A report with some figures in place of its own. */
function changed({
  demand,
  walk,
  run,
}: {
  demand?: Partial<Report["demand"]>;
  walk?: Partial<Report["walk"]>;
  run?: Partial<Report["run"]>;
}): Report {
  return { ...base, demand: { ...base.demand, ...demand }, walk: { ...base.walk, ...walk }, run: { ...base.run, ...run } };
}

function compare(a: Report, b: Report) {
  return compareReports({ name: "a", report: a }, { name: "b", report: b });
}

function row(a: Report, b: Report, title: string) {
  return compare(a, b).differences.find((one) => one.title === title);
}

describe("A comparison of two runs", () => {
  it("has the difference with its sign, the ratio, and which run is the better one", () => {
    const a = changed({ walk: { p50: 400, p90: 800 }, demand: { asked: 0, metShare: 0.6 } });
    const b = changed({ walk: { p50: 300, p90: 810 }, demand: { asked: 5, metShare: 0.55 } });
    expect(row(a, b, "half, at most")).toMatchObject({ a: 400, b: 300, difference: -100, ratio: 0.75, verdict: "better" });
    expect(row(a, b, "nine in ten, at most")).toMatchObject({ difference: 10, verdict: null });
    expect(row(a, b, "met, share of those who wanted a place")).toMatchObject({ difference: expect.closeTo(-0.05), verdict: "worse" });
    expect(row(a, b, "asked")).toMatchObject({ difference: 5, ratio: null, verdict: null });
    expect(row(changed({ walk: { p50: null } }), b, "half, at most")).toMatchObject({
      a: null,
      difference: null,
      ratio: null,
      verdict: null,
    });
  });

  it("says what the runs do not have in common", () => {
    expect(compare(base, base).conditions).toEqual([]);
    const other = changed({ run: { seed: 9, isValid: false } });
    expect(compare(base, other).conditions).toEqual(["The seeds of the traces differ.", "Not both runs can be relied on."]);
  });

  it("is a page without a script, on which a run stands beside one in which nobody asked", () => {
    const empty = reportOfCityDay({ seed: 1, population: 1, sites: 0 }, () => []);
    expect(renderComparison(compare(base, empty))).toMatch(/script-src &#39;none&#39;/);
    expect(renderComparison(compare(empty, empty))).not.toContain("NaN");
  });
});
