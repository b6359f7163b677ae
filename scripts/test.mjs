/**
 * `npm test`: sets up everything required, then runs the checks and the tests. Its last line is always `N passed, N failed, N skipped`.
 *
 *     npm test                            every check and every test, at most 6 minutes on two cores
 *     npm test -- quick                   types, lint, layers, tests without servers, one journey: 90 seconds
 *     npm test -- --verbose               everything, with the output of checks that pass
 *     npm test -- lint types              some of the steps
 *     npm test -- tests packages/agent    the tests of one folder; arguments after `tests` are passed to vitest
 *
 * `npm run test:ci` is `ci` and `npm run test:long` is `long` instead of `quick`: the tests with more rounds than in `npm test`.
 */
import { runUnderNode } from "./setup/run.mjs";
import { SetUpError, setUp } from "./setup/set-up.mjs";

const args = process.argv.slice(2);
const steps = args.filter((arg) => !arg.startsWith("-"));

try {
  const runsTests = steps.length === 0 || ["tests", "quick", "ci", "long"].some((name) => steps.includes(name));
  const isQuick = steps[0] === "quick";
  const isWhole = runsTests && !isQuick;
  await setUp({ server: runsTests, bothServers: isWhole, chromium: isWhole, python: isWhole, ciTools: runsTests && steps[0] === "ci" });
  process.exitCode = await runUnderNode("scripts/checks/main.ts", args);
} catch (error) {
  if (!(error instanceof SetUpError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.stdout.write("0 passed, 1 failed, 0 skipped\n");
  process.exitCode = 1;
}
