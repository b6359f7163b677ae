import { expect, test } from "vitest";
import { countTests } from "./tests.ts";

const report = { numPassedTests: 7, numFailedTests: 0, numPendingTests: 2, numTodoTests: 1 };

test("the counts are vitest's, and what is yet to be written counts as skipped", () => {
  expect(countTests(report, 0)).toEqual({ passed: 7, failed: 0, skipped: 3 });
  expect(countTests({ ...report, numFailedTests: 4 }, 1)).toEqual({ passed: 7, failed: 4, skipped: 3 });
});

test("a run that failed has a failed test, even where none is reported", () => {
  expect(countTests(report, 1)).toEqual({ passed: 7, failed: 1, skipped: 3 });
  expect(countTests(undefined, 137)).toEqual({ passed: 0, failed: 1, skipped: 0 });
});
