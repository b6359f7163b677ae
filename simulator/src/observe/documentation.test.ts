import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { describeLogType, type LogFields } from "./log-field.ts";
import { logKinds } from "./observation-fields.ts";
import { runHeaderFields } from "./run-header-fields.ts";

const page = readFileSync(join(import.meta.dirname, "../../../docs/run-log.md"), "utf8");

/** A row for each field, those of an object within it below it. */
function rowsOf(fields: LogFields, within = ""): string {
  return Object.entries(fields)
    .map(([name, { type, isOptional, meaning }]) => {
      const row = `| \`${within}${name}\` | ${describeLogType(type)}${isOptional === true ? ", or absent" : ""} | ${meaning} |\n`;
      const inner = type.kind === "list" ? type.of : type;
      return inner.kind === "object" ? row + rowsOf(inner.fields, `${within}${name}${type.kind === "list" ? "[]" : ""}.`) : row;
    })
    .join("");
}

test("the documentation of the run log has every field of the header", () => {
  expect(page).toContain(rowsOf(runHeaderFields as LogFields));
});

test.each(Object.entries(logKinds))("the documentation of the run log has every field of the kind %s", (kind, { meaning, fields }) => {
  expect(page).toContain(`### \`${kind}\`\n\n${meaning}\n\n| field | type | meaning |\n|---|---|---|\n${rowsOf(fields as LogFields)}`);
});
