import { globSync, readFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import type { TestLength } from "@petak/testkit/test-length";
import { repositoryDir } from "../setup/run.mjs";
import { findImports } from "./imports.ts";

/** The patterns of all test files of a workspace. */
export const allTests: readonly string[] = ["src/**/*.test.ts", "test/**/*.test.ts"];

/** The journey of a parcel through a gateway and a terminal: the one test of a quick run that starts servers. */
const quickJourney = "start-and-journey.test.ts";

/** The patterns of test files that take too long for a short run. */
export const ciTests: readonly string[] = ["**/*.ci.test.ts"];

/**
 * The patterns, for vitest, of a workspace's test files in a run of a length. A short run has all files except {@link ciTests}, which the caller excludes.
 * A `ci` run has those, and like a `long` one the files with more rounds at that length; the others have already run in full.
 *
 * @param dir the workspace's directory in the repository
 */
export function testsAt(length: TestLength, dir: string): readonly string[] {
  if (length === "short") return allTests;
  const root = join(repositoryDir, dir);
  const files = globSync(allTests as string[], { cwd: root }).sort();
  if (length === "quick") {
    const isUnit = (file: string) => dir !== "e2e" && !file.endsWith(".ci.test.ts") && isUnitTest(join(root, file));
    return files.filter((file) => basename(file) === quickJourney || isUnit(file));
  }
  const isForCi = (file: string) => length === "ci" && file.endsWith(".ci.test.ts");
  return files.filter((file) => isForCi(file) || hasRoundsAt(length, readFileSync(join(root, file), "utf8")));
}

/** Whether a test has more rounds at a length: its source specifies them, or, in `ci`, it dies at every command. */
export function hasRoundsAt(length: "ci" | "long", source: string): boolean {
  if (length === "ci" && /\batEveryDeath\(/.test(source)) return true;
  return [...source.matchAll(/\broundsHere\(\{([^}]*)\}\)/g)].some(([, rounds = ""]) => new RegExp(`\\b${length}:`).test(rounds));
}

/** Names of functions and modules that start servers and processes. */
const starting = /\b(useRedis|startTest[A-Z]\w*|installedFlavours|node:child_process|startRedisServer)\b/;

/** Whether a test starts no server and no process: neither the test nor its shared test code names anything that does. */
function isUnitTest(path: string, seen = new Set<string>()): boolean {
  if (seen.has(path)) return true;
  seen.add(path);
  const source = readFileSync(path, "utf8");
  if (starting.test(source)) return false;
  return findImports(source)
    .filter((name) => name.startsWith(".") && name.endsWith(".ts") && isShared(join(dirname(path), name)))
    .every((name) => isUnitTest(join(dirname(path), name), seen));
}

/** Whether a file is shared test code, as opposed to the code under test. */
function isShared(path: string): boolean {
  return /\/(testing|test)\/|\/e2e\//.test(path);
}
