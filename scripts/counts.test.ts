import { expect, test } from "vitest";
import { addCounts, countsLine, readCounts } from "./counts.mjs";

test("the counts of a run are those in its last line", () => {
  expect(readCounts("1 passed, 1 failed, 0 skipped\n…\n2057 passed, 0 failed, 3 skipped\n", 0)).toEqual({
    passed: 2057,
    failed: 0,
    skipped: 3,
  });
  expect(readCounts(countsLine({ passed: 1, failed: 2, skipped: 3 }), 1)).toEqual({ passed: 1, failed: 2, skipped: 3 });
});

test("a run without counts, or with counts that contradict its exit code, has one failed test", () => {
  expect(readCounts("", null)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(readCounts("5 passed, 0 failed, 0 skipped\nand more\n", 0)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  expect(readCounts("5 passed, 0 failed, 0 skipped\n", 1)).toEqual({ passed: 5, failed: 1, skipped: 0 });
});

test("the counts of two runs are added", () => {
  expect(addCounts({ passed: 1, failed: 2, skipped: 3 }, { passed: 10, failed: 20, skipped: 30 })).toEqual({
    passed: 11,
    failed: 22,
    skipped: 33,
  });
});
