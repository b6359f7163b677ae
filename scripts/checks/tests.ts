import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestLength } from "@petak/testkit/test-length";
import { repositoryDir, runUnderNode } from "../setup/run.mjs";
import type { FileTime } from "./budget.ts";

/** The numbers of tests by result. */
export interface TestCounts {
  passed: number;
  failed: number;
  skipped: number;
}

/** The parts of vitest's JSON report that are used here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numTodoTests: number;
}

/** Node's compile cache, so that processes started by tests do not compile the same files again. */
const compileCacheDir = join(repositoryDir, "node_modules/.cache/petak-compile");

/**
 * Runs tests under vitest, which prints their progress, and counts them. All random numbers derive from one seed, which is printed first.
 *
 * @param args for vitest: names of files or folders, options
 */
export async function runTests(args: string[], length: TestLength): Promise<{ counts: TestCounts; files: FileTime[] }> {
  const directory = await mkdtemp(join(tmpdir(), "petak-report-"));
  const reportPath = join(directory, "report.json");
  const timesPath = join(directory, "times.json");
  const { PETAK_TEST_SEED = "", NODE_COMPILE_CACHE = compileCacheDir } = process.env;
  const seed = PETAK_TEST_SEED === "" ? String(randomInt(0x1_0000_0000)) : PETAK_TEST_SEED;
  process.stdout.write(`PETAK_TEST_SEED=${seed} PETAK_TEST_LENGTH=${length}\n`);
  try {
    const code = await runUnderNode(
      "node_modules/vitest/vitest.mjs",
      [
        "run",
        "--reporter=default",
        "--reporter=json",
        `--outputFile.json=${reportPath}`,
        `--reporter=${join(import.meta.dirname, "time-reporter.ts")}`,
        ...args,
      ],
      { env: { PETAK_TEST_SEED: seed, PETAK_TEST_LENGTH: length, PETAK_TEST_TIMES: timesPath, NODE_COMPILE_CACHE } },
    );
    return { counts: countTests(await readJson<Report>(reportPath), code), files: (await readJson<FileTime[]>(timesPath)) ?? [] };
  } finally {
    await rm(directory, { recursive: true });
  }
}

/**
 * Counts the tests of a report. A failed run without a failed test, e.g. because of a file that could not be loaded or an unhandled error,
 * counts as one failed test.
 */
export function countTests(report: Report | undefined, exitCode: number): TestCounts {
  const passed = report?.numPassedTests ?? 0;
  const failed = report?.numFailedTests ?? 0;
  const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);
  return { passed, failed: failed === 0 && exitCode !== 0 ? 1 : failed, skipped };
}

/** Reads a file that vitest writes; undefined if vitest exited before writing it, which its exit code shows. */
async function readJson<T>(path: string): Promise<T | undefined> {
  try {
    return JSON.parse(await readFile(path, "utf8")) as T;
  } catch {
    return undefined;
  }
}
