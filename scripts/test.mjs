/**
 * `npm test`: sets up all that is needed, then runs the checks and the tests. Its last line is always `N passed, N failed, N skipped`.
 *
 *     npm test                            everything
 *     npm test -- --verbose               everything, with the output of the checks that pass
 *     npm test -- lint types              some of the steps
 *     npm test -- tests packages/agent    the tests of one folder; what follows `tests` goes to vitest
 */
import { runUnderNode } from "./setup/run.mjs";
import { SetUpError, setUp } from "./setup/set-up.mjs";

const args = process.argv.slice(2);
const steps = args.filter((arg) => !arg.startsWith("-"));

try {
  const runsTests = steps.length === 0 || steps.includes("tests");
  await setUp({ server: runsTests, bothServers: runsTests, chromium: runsTests, python: runsTests });
  process.exitCode = await runUnderNode("scripts/checks/main.ts", args);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.stdout.write("0 passed, 1 failed, 0 skipped\n");
  process.exitCode = 1;
}
