/**
 * `npm run test:faults`: causes every fault many times while a city's clients reserve, deposit, collect and listen, and prints at the end
 * what was done and checked. Gateways and Redis are killed more than two hundred times. It takes about an hour on two cores; `npm test` has
 * a short form of each fault.
 *
 *     npm run test:faults                          everything
 *     npm run test:faults -- killed-store clocks   the files whose names contain one of these
 *     npm run test:faults -- --seed 123            with the choices of an earlier run, which has printed its seed
 *
 * A seed repeats the choices: when something is killed, after how many responses, what is cut off. The exact instant depends on the
 * machine.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: "string" } } });
const directory = mkdtempSync(join(tmpdir(), "petak-faults-"));
const report = join(directory, "report.jsonl");
const env = {
  ...process.env,
  PETAK_TEST_LENGTH: "long",
  PETAK_FAULTS_REPORT: report,
  ...(values.seed === undefined ? {} : { PETAK_TEST_SEED: values.seed }),
};
const files =
  positionals.length === 0
    ? ["e2e/src/operations/faults", "packages/gateway/src/features/reservation/redirect", "packages/redis/src/durability"]
    : positionals.map((name) => `e2e/src/operations/faults/${name}`);
// One file after another, because two at once would share the machine's time.
const args = [join(import.meta.dirname, "test.mjs"), "tests", "--no-file-parallelism", ...files];
const { status } = spawnSync(process.execPath, args, { env, stdio: "inherit" });
printTable();
rmSync(directory, { recursive: true });
process.exitCode = status ?? 1;

function printTable() {
  let text = "";
  try {
    text = readFileSync(report, "utf8");
  } catch {
    process.stdout.write("No fault was completed.\n");
    return;
  }
  const rows = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  /** @param {Record<string, number>} counts */
  const list = (counts) =>
    Object.entries(counts)
      .map(([what, count]) => `${count} ${what}`)
      .join(", ");
  process.stdout.write("\nWhat was done, and what was checked after each fault: every answered step once, counts, feed, listeners\n");
  for (const { fault, seed, done, checked } of rows) {
    process.stdout.write(`\n${fault} (seed ${seed})\n  done:    ${list(done)}\n  checked: ${list(checked)}\n`);
  }
  const killed = rows.reduce((sum, { done }) => sum + (done["store killed"] ?? 0) + (done["gateway killed"] ?? 0), 0);
  process.stdout.write(`\nKilled in all: ${killed}\n`);
}
