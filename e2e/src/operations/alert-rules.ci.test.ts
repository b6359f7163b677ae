import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { tempDir } from "@petak/testkit";
import { expect, test } from "vitest";

const deployDir = join(import.meta.dirname, "../../../deploy");
const execute = promisify(execFile);

/** Runs promtool, Prometheus's own checker. @returns what it says; it throws with that if something is wrong */
async function promtool(...args: string[]): Promise<string> {
  return (await execute("promtool", args, { cwd: deployDir })).stdout;
}

/** The set-up installs it where it may. */
const hasPromtool = await promtool("--version").then(
  () => true,
  () => false,
);

test.skipIf(!hasPromtool)("promtool takes the rules, and each alert fires for what it is about and for nothing else", async () => {
  expect(await promtool("check", "rules", "prometheus/petak.rules.yml")).toContain("SUCCESS");
  expect(await promtool("test", "rules", "prometheus/petak.rules.test.yml")).toContain("SUCCESS");
});

test.skipIf(!hasPromtool)("the queries of the board are valid", async () => {
  const board = JSON.parse(await readFile(join(deployDir, "grafana/petak.json"), "utf8")) as { panels: { targets?: { expr: string }[] }[] };
  const queries = board.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr.replaceAll("$__rate_interval", "5m")));
  expect(queries.length).toBeGreaterThan(20);
  const rules = queries.map((expr, index) => ({ record: `query${index}`, expr }));
  const file = join(await tempDir(), "board.yml");
  // JSON is YAML too.
  await writeFile(file, JSON.stringify({ groups: [{ name: "board", rules }] }));
  expect(await promtool("check", "rules", file)).toContain("SUCCESS");
});
