/**
 * What must pass before a change is merged: `npm test`, and where that is green `npm run test:ci`. The last line is the sum of both,
 * `N passed, N failed, N skipped`, and the exit code says the same. Arguments go to `npm test`, which then runs alone.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";

const repositoryDir = join(import.meta.dirname, "..");

/**
 * Runs a script of this folder, shows what it prints, and reads its counts from its last line.
 *
 * @param {string[]} args
 * @returns {Promise<{ passed: number; failed: number; skipped: number }>} one failed where there was no such line, or where its exit code speaks against it
 */
function run(args) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [join(import.meta.dirname, "test.mjs"), ...args], {
      cwd: repositoryDir,
      stdio: ["inherit", "pipe", "inherit"],
    });
    let tail = "";
    child.stdout.setEncoding("utf8");
    child.stdout.on("data", (text) => {
      process.stdout.write(text);
      tail = `${tail}${text}`.slice(-1000);
    });
    child.on("close", (code) => {
      const [, passed, failed, skipped] = /(?:^|\n)(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(tail) ?? [];
      const counts = { passed: Number(passed ?? 0), failed: Number(failed ?? 1), skipped: Number(skipped ?? 0) };
      resolve(code !== 0 && counts.failed === 0 ? { ...counts, failed: 1 } : counts);
    });
  });
}

const args = process.argv.slice(2);
const first = await run(args);
const isGreen = first.failed === 0;
const second = isGreen && args.length === 0 ? await run(["ci"]) : { passed: 0, failed: 0, skipped: 0 };
const failed = first.failed + second.failed;
process.exitCode = failed === 0 ? 0 : 1;
process.stdout.write(`${first.passed + second.passed} passed, ${failed} failed, ${first.skipped + second.skipped} skipped\n`);
