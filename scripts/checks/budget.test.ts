import { expect, test } from "vitest";
import { describeTimes, type FileTime, limitsS, partOf, usedByPart } from "./budget.ts";

const file = (path: string, ms: number, project = "@petak/e2e"): FileTime => ({ path, project, ms });

test("a file belongs to the part whose pattern it matches, or else to the rest", () => {
  expect(
    [
      "e2e/src/examples/documentation.test.ts",
      "e2e/src/browser/vectors.test.ts",
      "packages/picker/src/picker.browser.test.ts",
      "simulator/src/week.test.ts",
      "packages/records/src/queue/queue.test.ts",
    ].map(partOf),
  ).toEqual(["documentation", "browser", "browser", "city", "everything else"]);
});

test("the time of all tests is divided among the parts in proportion to their files' times, and the checks belong to the rest", () => {
  const files = [file("e2e/src/examples/a.test.ts", 3000), file("e2e/src/b.test.ts", 9000)];
  const used = usedByPart({ checksS: 20, testsS: 8, files });
  expect(used.get("documentation")).toBe(2);
  expect(used.get("everything else")).toBe(26);
  expect([...used.values()].reduce((sum, seconds) => sum + seconds, 0)).toBe(28);
});

test("a whole run may take six minutes, and half an hour in CI", () => {
  expect(limitsS).toEqual({ quick: 90, short: 360, ci: 1800 });
});

test("a part over its budget is marked, and so is a run over its limit", () => {
  const files = [file("e2e/src/examples/a.test.ts", 40_000), file("e2e/src/b.test.ts", 80_000)];
  const text = describeTimes({ checksS: 10, testsS: 60, files }, "short");
  expect(text).toContain("documentation      0:15   0:20  ⚠ over its budget");
  expect(text).toContain("everything else    4:00   0:50\n");
  expect(text).toContain("1:10 in all of 6:00: checks 0:10, tests 1:00");
  expect(text).not.toContain("over the limit");
  expect(describeTimes({ checksS: 10, testsS: 90, files }, "quick")).toContain("⚠ 0:10 over the limit");
});

test("the ten slowest files are listed, slowest first, with the name of an additional project", () => {
  const files = Array.from({ length: 12 }, (_, index) => file(`e2e/src/${index}.test.ts`, index * 1000));
  files.push(file("packages/records/src/reserve.test.ts", 50_000, "records, cluster"));
  const shown = describeTimes({ checksS: 0, testsS: 60, files }, "ci").split("\n").slice(1, 11);
  expect(shown[0]).toBe("  50.0 s  packages/records/src/reserve.test.ts  (records, cluster)");
  expect(shown[1]).toBe("  11.0 s  e2e/src/11.test.ts");
  expect(shown[9]).toBe("   3.0 s  e2e/src/3.test.ts");
});
