import { expect, test } from "vitest";
import { countTests } from "./tests.ts";

const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1 };

test("the counts are vitest's, and tests marked todo count as skipped", () => {
  expect(countTests(report, 0)).toEqual({ passed: 7, failed: 0, skipped: 3 });
  expect(countTests({ ...report, numFailedTests: 4 }, 1)).toEqual({ passed: 7, failed: 4, skipped: 3 });
});

test("a failed run has a failed test, even if none is reported", () => {
  expect(countTests(report, 1)).toEqual({ passed: 7, failed: 1, skipped: 3 });
  expect(countTests(undefined, 137)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});
