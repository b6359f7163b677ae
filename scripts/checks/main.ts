/** The checks of `npm test`, in an order in which what is quick and most often wrong comes first, and the tests after them. */
import type { Check } from "./check.ts";
import { generated } from "./generated.ts";
import { layers } from "./layers.ts";
import { lint } from "./lint.ts";
import { proto } from "./proto.ts";
import { runTests, type TestCounts } from "./tests.ts";
import { types } from "./types.ts";

const checks: readonly Check[] = [types, lint, layers, proto, generated];
const testsName = "tests";
const names = [...checks.map(({ name }) => name), testsName];

/** Runs the steps that are named, or all, up to the first that fails. */
async function runSteps(args: string[]): Promise<TestCounts> {
  const verbose = args.includes("--verbose");
  const testsAt = args.indexOf(testsName);
  const forVitest = testsAt === -1 ? [] : args.slice(testsAt + 1).filter((arg) => arg !== "--verbose");
  const chosen = (testsAt === -1 ? args : args.slice(0, testsAt + 1)).filter((arg) => arg !== "--verbose");
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    process.stderr.write(`There is no step "${unknown}"; the steps are ${names.join(", ")}. What follows "tests" goes to vitest.\n`);
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const isChosen = (name: string): boolean => chosen.length === 0 || chosen.includes(name);

  for (const check of checks.filter(({ name }) => isChosen(name))) {
    if (!(await runCheck(check, verbose))) return { passed: 0, failed: 1, skipped: 0 };
  }
  return isChosen(testsName) ? runTests(forVitest) : { passed: 0, failed: 0, skipped: 0 };
}

async function runCheck(check: Check, verbose: boolean): Promise<boolean> {
  const startMs = performance.now();
  const { passed, output, note } = await check.run();
  const seconds = ((performance.now() - startMs) / 1_000).toFixed(1);
  const remark = note === undefined ? "" : `  (${note})`;
  process.stdout.write(`${passed ? "✔" : "✘"} ${check.name.padEnd(10)}${seconds.padStart(5)} s${remark}\n`);
  if (verbose || !passed) process.stdout.write(output.endsWith("\n") || output === "" ? output : `${output}\n`);
  return passed;
}

const { passed, failed, skipped } = await runSteps(process.argv.slice(2));
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
