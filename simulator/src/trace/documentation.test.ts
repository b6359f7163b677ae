import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeKind, type Field } from "./field.ts";
import { intentionFieldNames, intentionFields } from "./intention.ts";

test("the documentation of the trace has every field with its range, its default and its meaning", () => {
  const page = readFileSync(join(import.meta.dirname, "../../../docs/trace.md"), "utf8");
  const rows = intentionFieldNames.map((name) => {
    const { type, ifAbsent, meaning }: Field = intentionFields[name];
    return `| \`${name}\` | ${describeKind(type)} | ${ifAbsent === undefined ? "required" : `\`${ifAbsent}\``} | ${meaning} |\n`;
  });
  expect(page).toContain(rows.join(""));
});
