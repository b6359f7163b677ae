/** The checks of `npm test` in parallel, followed by the tests. */
import { availableParallelism } from "node:os";
import type { TestLength } from "@petak/testkit/test-length";
import { testLength } from "@petak/testkit/test-length";
import { describeTimes } from "./budget.ts";
import type { Check } from "./check.ts";
import { generated } from "./generated.ts";
import { layers } from "./layers.ts";
import { lint } from "./lint.ts";
import { proto } from "./proto.ts";
import { runTests, type TestCounts } from "./tests.ts";
import { eachWorkspaceTypes, types } from "./types.ts";

/** The longest check first, so that the others run beside it. */
const checks: readonly Check[] = [lint, types, generated, proto, layers];
const testsName = "tests";
const names = [...checks.map(({ name }) => name), testsName];

/** The checks of each length of a whole run; its tests run after them. */
const checksAt: Readonly<Record<TestLength, readonly Check[]>> = {
  quick: [lint, types, layers],
  short: checks,
  ci: [eachWorkspaceTypes],
  long: [],
};

/** Runs the requested steps; the tests only if no check has failed. */
async function run(args: string[]): Promise<TestCounts> {
  const verbose = args.includes("--verbose");
  const [first = "", ...others] = args.filter((arg) => arg !== "--verbose");
  if (first === "quick" || first === "ci" || first === "long") return await runSteps(checksAt[first], others, first, verbose);
  const steps = [first, ...others].filter((arg) => arg !== "");
  if (steps.length === 0) return await runSteps(checksAt.short, [], "short", verbose);

  const testsAt = steps.indexOf(testsName);
  const chosen = testsAt === -1 ? steps : steps.slice(0, testsAt);
  const unknown = chosen.find((name) => !names.includes(name));
  if (unknown !== undefined) {
    const lengths = "quick, ci and long";
    process.stderr.write(
      `Unknown step "${unknown}"; the steps are ${names.join(", ")}. Arguments after "tests" are passed to vitest. The lengths of whole runs are ${lengths}.\n`,
    );
    return { passed: 0, failed: 1, skipped: 0 };
  }
  const chosenChecks = checks.filter(({ name }) => chosen.includes(name));
  if (testsAt === -1) return (await runChecks(chosenChecks, verbose)) ? none : oneFailed;
  if (!(await runChecks(chosenChecks, verbose))) return oneFailed;
  return (await runTests(steps.slice(testsAt + 1), testLength())).counts;
}

const none: TestCounts = { passed: 0, failed: 0, skipped: 0 };
const oneFailed: TestCounts = { passed: 0, failed: 1, skipped: 0 };

/** Runs the steps and reports their durations. */
async function runSteps(chosen: readonly Check[], forVitest: string[], length: TestLength, verbose: boolean): Promise<TestCounts> {
  const beganMs = performance.now();
  if (!(await runChecks(chosen, verbose))) return oneFailed;
  const checkedMs = performance.now();
  const { counts, files } = await runTests(forVitest, length);
  const times = { checksS: (checkedMs - beganMs) / 1000, testsS: (performance.now() - checkedMs) / 1000, files };
  process.stdout.write(`\n${describeTimes(times, length)}\n`);
  return counts;
}

/** Runs checks, as many at a time as there are cores. Returns whether all passed. */
async function runChecks(chosen: readonly Check[], verbose: boolean): Promise<boolean> {
  const waiting = [...chosen];
  let allPassed = true;
  const work = async (): Promise<void> => {
    for (let check = waiting.shift(); check !== undefined; check = waiting.shift()) {
      if (!(await runCheck(check, verbose))) allPassed = false;
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, work));
  return allPassed;
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

const { passed, failed, skipped } = await run(process.argv.slice(2));
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = failed === 0 ? 0 : 1;
