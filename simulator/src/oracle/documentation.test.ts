import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { oracleRules } from "./rules.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/simulator.md"), "utf8");

test("the documentation of the oracle has every rule, with what it means and what exactly breaks it", () => {
  expect(page).toContain(
    Object.entries(oracleRules)
      .map(([rule, meaning]) => `| \`${rule}\` | ${meaning} |\n`)
      .join(""),
  );
  const exact = page.slice(page.indexOf("| rule | what exactly |"));
  for (const rule of Object.keys(oracleRules)) expect(exact).toContain(`| \`${rule}\` |`);
});
