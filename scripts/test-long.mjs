/**
 * `npm run test:long`: the allocator's longest tests with many more rounds: a million attempts to hold a place, with processes that die at
 * any step, thousands of requests to gateways that are killed meanwhile, two hundred thousand searches compared with looking at every
 * site, an archiver that is killed at each of its steps, forty days of lives through which
 * the memory must stay as it is, and a thousand lives compared with a model. It takes about three quarters of an hour on two cores.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const env = {
  ...process.env,
  PETAK_RUSH_ATTEMPTS: "1000000",
  PETAK_QUERIES: "200000",
  PETAK_DYING_REQUESTS: "250",
  PETAK_DEATH_STRIDE: "1",
  PETAK_LIVES: "1000",
  PETAK_SOAK_DAYS: "40",
  PETAK_SOAK_LIVES: "60",
};
const tests = [
  "tests",
  "packages/records/src/reservations/rush",
  "packages/allocator/src/search/nearest",
  "e2e/src/operations/faults/dying-gateways",
  "packages/gateway/src/archive/archiver-death",
  "e2e/src/operations/retention/soak",
  "e2e/src/life",
];
const { status } = spawnSync(process.execPath, [join(import.meta.dirname, "test.mjs"), ...tests, ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
