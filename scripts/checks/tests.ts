import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runUnderNode } from "../setup/run.mjs";

/** How many tests there were, by how they went. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

/** What of vitest's JSON report is read here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
}

/** Runs all tests under vitest, which shows how they go, and counts them. @param args go to vitest: names of files or folders, options */
export async function runTests(args: string[]): Promise<TestCounts> {
  const directory = await mkdtemp(join(tmpdir(), "petak-report-"));
  try {
    const reportPath = join(directory, "report.json");
    const code = await runUnderNode("node_modules/vitest/vitest.mjs", [
      "run",
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${reportPath}`,
      ...args,
    ]);
    return countTests(await readReport(reportPath), code);
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * Counts the tests of a report. A run that failed with no failed test, e.g. by a file that could not be loaded or an error that nobody
 * caught, counts as one failed.
 */
export function countTests(report: Report | undefined, exitCode: number): TestCounts {
  const passed = report?.numPassedTests ?? 0;
  const failed = report?.numFailedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  return { passed, failed: failed === 0 && exitCode !== 0 ? 1 : failed, skipped };
}

async function readReport(path: string): Promise<Report | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as Report;
  } catch {
    // It ended before it could write one; its exit code says so.
    return undefined;
  }
}
