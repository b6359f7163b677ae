/**
 * `npm run test:faults`: gateways and the store are killed two hundred times, at any instant, while couriers and agents work. It takes some ten
 * minutes on two cores; `npm test` kills eight times. A failure can be had again with the seed that it prints.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";

const env = { ...process.env, PETAK_FAULT_KILLS: "200", PETAK_DYING_REQUESTS: "250" };
const tests = ["tests", "e2e/src/faults", "packages/gateway/src/services/redirect"];
const { status } = spawnSync(process.execPath, [join(import.meta.dirname, "test.mjs"), ...tests, ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
