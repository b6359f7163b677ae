/**
 * Runs the checks that must pass before a merge: `npm test` and, if that passes, `npm run test:ci`. The last line is the sum of both, `N
 * passed, N failed, N skipped`, and the exit code agrees with it. Arguments are passed to `npm test`, which then runs alone.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { addCounts, countsLine, readCounts } from "./counts.mjs";

/** More than the length of the line with the counts. */
const tailChars = 1000;

/**
 * Runs `test.mjs` and forwards its output.
 *
 * @param {string[]} args
 * @returns {Promise<import("./counts.mjs").Counts>}
 */
function run(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "test.mjs"), ...args], { stdio: ["inherit", "pipe", "inherit"] });
    let tail = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => {
      process.stdout.write(text);
      tail = `${tail}${text}`.slice(-tailChars);
    });
    // A terminal's Ctrl-C reaches the child directly.
    const onTerminate = () => child.kill("SIGTERM");
    process.on("SIGTERM", onTerminate).on("SIGINT", ignore);
    child.on("close", (code) => {
      process.off("SIGTERM", onTerminate).off("SIGINT", ignore);
      resolve(readCounts(tail, code));
    });
  });
}

function ignore() {}

const args = process.argv.slice(2);
const first = await run(args);
const counts = args.length === 0 && first.failed === 0 ? addCounts(first, await run(["ci"])) : first;
process.exitCode = counts.failed === 0 ? 0 : 1;
process.stdout.write(countsLine(counts));
